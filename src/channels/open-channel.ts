import { maskAddress, type Channel } from "../core/channel.ts";
import { RowcallError } from "../core/errors.ts";
import { getOwn } from "../core/json.ts";
import { nearest } from "../core/schema.ts";
import { schemeOf } from "../core/uri.ts";
import type { ChannelOptions, ChannelScheme } from "./channel-options.ts";

const openWebhook: ChannelScheme["open"] = async (address, options) =>
  (await import("./webhook-channel.ts")).openWebhookChannel(address, options);

const ownSchemes: Readonly<Record<string, ChannelScheme>> = {
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
 * Those of `options.channels` come before the known ones.
 *
 * @throws RowcallError CHANNEL_UNKNOWN, SECRET_MISSING
 */
export async function openChannel(address: string, options: ChannelOptions): Promise<Channel> {
  const schemes = { ...ownSchemes, ...options.channels };
  const scheme = schemeOf(address);
  const known = getOwn(schemes, scheme);
  if (known !== undefined) return known.open(address, options);
  throw new RowcallError("CHANNEL_UNKNOWN", `Unknown channel "${maskAddress(address)}"`, {
    hint: hintFor(address, schemes),
  });
}

function hintFor(address: string, schemes: Readonly<Record<string, ChannelScheme>>): string {
  const near = schemes[nearest(address.split(":")[0] ?? "", Object.keys(schemes)) ?? ""];
  if (near !== undefined) return `Did you mean "${near.form}"?`;
  const forms = Object.values(schemes).map(({ form }) => form);
  return `A channel is one of ${forms.join(", ")}.`;
}
