import type { Notifications } from "../../core/batch.ts";
import type { OpenChannel } from "../../core/channel.ts";
import { messageOf } from "../../core/errors.ts";
import type { Run } from "../../core/run.ts";

/**
 * Tells the batch's channels how a run ended. A channel that fails is reported and never fails the run.
 *
 * @param warn - told of each channel that could not be reached
 */
export async function notifyChannels(
  openChannel: OpenChannel,
  notifications: Notifications,
  run: Run,
  warn: (message: string, hint: string) => void,
): Promise<void> {
  const kind = run.status === "succeeded" ? "success" : "failure";
  if (kind === "success" ? !notifications.onSuccess : !notifications.onFailure) return;
  const { total, succeeded, failed, pending } = run.counts;
  const subject = `Rowcall run ${run.id} ${run.status}: ${succeeded} of ${total} rows succeeded`;
  const body = [
    `Run: ${run.id}${run.name === undefined ? "" : ` (${run.name})`}`,
    `Agent: ${run.agent}`,
    `Status: ${run.status}${run.reason === undefined ? "" : `, ${run.reason}`}`,
    `Rows: ${total} in all, ${succeeded} succeeded, ${failed} failed, ${pending} pending`,
    `Output: ${run.outputUri ?? "none"}`,
  ].join("\n");
  for (const address of notifications.channels) {
    try {
      const channel = await openChannel(address);
      await channel.notify({ kind, run, subject, body });
    } catch (error) {
      warn(
        `The notification to ${address} failed: ${messageOf(error)}`,
        "The run and its output are complete; only the message is missing.",
      );
    }
  }
}
