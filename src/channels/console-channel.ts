import { RowcallError, messageOf } from "../core/errors.ts";
import type { Channel } from "../core/channel.ts";

/**
 * Opens the channel that writes to the terminal: the subject, then the body indented under it, in one piece.
 *
 * @param write - takes the text, line end included; standard error, so that standard output stays data
 */
export function openConsoleChannel(write: (text: string) => void): Channel {
  return {
    notify: async ({ subject, body }) => {
      const lines = body.split("\n").map((line) => `  ${line}`);
      try {
        write(`${[subject, ...lines].join("\n")}\n`);
      } catch (cause) {
        throw new RowcallError("CHANNEL_FAILED", `The console cannot be written to: ${messageOf(cause)}`, {
          hint: "Check where standard error leads.",
          cause,
        });
      }
    },
  };
}
