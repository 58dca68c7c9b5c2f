import { maskAddress, type Channel } from "../core/channel.ts";
import { RowcallError } from "../core/errors.ts";
import { nearest } from "../core/schema.ts";
import { schemeOf } from "../core/uri.ts";
import type { ChannelOptions } from "./channel-options.ts";

interface Scheme {
  /** How its addresses look. */
  readonly form: string;
  open(address: string, options: ChannelOptions): Promise<Channel>;
}

const openWebhook: Scheme["open"] = async (address, options) =>
  (await import("./webhook-channel.ts")).openWebhookChannel(address, options);

const schemes: Readonly<Record<string, Scheme>> = {
  console: {
    form: "console:",
    open: async (_address, { write }) => (await import("./console-channel.ts")).openConsoleChannel(write),
  },
  slack: {
    form: "slack:NAME",
    open: async (address, options) => (await import("./slack-channel.ts")).openSlackChannel(address, options),
  },
  https: { form: "https://HOST/PATH", open: openWebhook },
  http: { form: "http://HOST/PATH", open: openWebhook },
  arn: {
    form: "arn:aws:sns:REGION:ACCOUNT:TOPIC",
    open: async (address, options) => (await import("./sns-channel.ts")).openSnsChannel(address, options),
  },
};

/**
 * Opens the channel behind an address by its scheme.
 *
 * @throws RowcallError CHANNEL_UNKNOWN, SECRET_MISSING
 */
export async function openChannel(address: string, options: ChannelOptions): Promise<Channel> {
  const scheme = schemeOf(address);
  const known = Object.hasOwn(schemes, scheme) ? schemes[scheme] : undefined;
  if (known !== undefined) return known.open(address, options);
  throw new RowcallError("CHANNEL_UNKNOWN", `Unknown channel "${maskAddress(address)}"`, { hint: hintFor(address) });
}

function hintFor(address: string): string {
  const near = schemes[nearest(address.split(":")[0] ?? "", Object.keys(schemes)) ?? ""];
  if (near !== undefined) return `Did you mean "${near.form}"?`;
  const forms = Object.values(schemes).map(({ form }) => form);
  return `A channel is one of ${forms.join(", ")}.`;
}
