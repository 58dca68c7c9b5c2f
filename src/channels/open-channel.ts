import type { Channel } from "../core/channel.ts";
import { RowcallError } from "../core/errors.ts";
import { suggest } from "../core/schema.ts";
import { schemeOf } from "../core/uri.ts";

/** What opening a channel takes. */
export interface ChannelOptions {
  /** Where the console channel writes. */
  readonly write: (text: string) => void;
}

const channels: Readonly<Record<string, (address: string, options: ChannelOptions) => Promise<Channel>>> = {
  console: async (_address, { write }) => (await import("./console-channel.ts")).openConsoleChannel(write),
};

/**
 * Opens the channel behind an address by its scheme.
 *
 * @throws RowcallError CHANNEL_UNKNOWN
 */
export async function openChannel(address: string, options: ChannelOptions): Promise<Channel> {
  const scheme = schemeOf(address);
  const open = Object.hasOwn(channels, scheme) ? channels[scheme] : undefined;
  if (open !== undefined) return open(address, options);
  throw new RowcallError("CHANNEL_UNKNOWN", `Unknown channel "${address}"`, { hint: hintFor(address) });
}

function hintFor(address: string): string {
  if (/^arn:[\w-]+:sns:/.test(address)) return "SNS is not available in this version. Use console: instead.";
  const known = Object.keys(channels).map((scheme) => `${scheme}:`);
  return suggest(`${address.split(":")[0] ?? ""}:`, known);
}
