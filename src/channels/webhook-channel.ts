import { createHmac } from "node:crypto";
import { isVariableName, maskAddress, secretPlaces, type Channel, type Notification } from "../core/channel.ts";
import { RowcallError } from "../core/errors.ts";
import { createMask } from "../core/mask.ts";
import type { ChannelOptions } from "./channel-options.ts";
import { postJson } from "./post-json.ts";

const usualSecret = "ROWCALL_WEBHOOK_SECRET";

/**
 * Opens the channel that posts notifications as JSON, signed where there is a secret.
 *
 * @param address - `https://…` or `http://…`; `#secret=NAME` at its end names the environment variable that holds its secret,
 * user and password become an `Authorization` header, and `{{secret.NAME}}` anywhere after the host stands for an environment variable
 * @throws RowcallError CHANNEL_UNKNOWN, SECRET_MISSING
 * @see docs/notifications.md for what is sent and how the signature is checked
 */
export function openWebhookChannel(
  address: string,
  { secret, timing }: Pick<ChannelOptions, "secret" | "timing">,
): Channel {
  const { given, values } = withSecrets(address, secret);
  const { url, login, authorization, secretName } = readAddress(given);
  const key = secret(secretName ?? usualSecret) ?? "";
  if (key === "" && secretName !== undefined) throw missing(address, secretName);
  const secrets = [url.search.slice(1), ...url.searchParams.values(), key, ...login, authorization ?? "", ...values];
  const mask = createMask(secrets);
  return {
    ...(key === "" ? { warning: unsigned } : {}),
    notify: async (notification) => {
      const body = JSON.stringify(webhookBody(notification));
      const post = {
        url,
        headersAt: (now: number) => ({
          ...(authorization === undefined ? {} : { authorization }),
          ...deliveryHeaders(notification.id, Math.floor(now / 1000), body, key),
        }),
        body,
        shown: `The webhook ${maskAddress(address)}`,
        mask,
        hintFor,
      };
      await postJson(post, timing);
    },
  };
}

const unsigned = {
  message: `Webhooks are told without a signature: ${usualSecret} is not set`,
  hint: "Set it to a long random text that the receiver knows too, so that nobody else can send in your name.",
};

/** What is posted; `docs/notifications.md` shows it, and keys are only ever added. */
function webhookBody({ id, kind, run, failures, subject, body }: Notification): object {
  const { createdAt, endedAt, ...facts } = run;
  return {
    type: "rowcall.run.ended",
    id,
    kind,
    run: {
      ...facts,
      createdAt: new Date(createdAt).toISOString(),
      ...(endedAt === undefined ? {} : { endedAt: new Date(endedAt).toISOString() }),
      failures,
    },
    subject,
    body,
  };
}

function deliveryHeaders(id: string, seconds: number, body: string, key: string): Record<string, string> {
  const headers = { "rowcall-delivery": id, "rowcall-timestamp": String(seconds) };
  if (key === "") return headers;
  const signature = createHmac("sha256", key).update(`${seconds}.${body}`).digest("hex");
  return { ...headers, "rowcall-signature": `sha256=${signature}` };
}

/** An address with what the environment has for its secrets, and these. */
function withSecrets(
  address: string,
  secret: ChannelOptions["secret"],
): { readonly given: string; readonly values: readonly string[] } {
  const values: string[] = [];
  const given = address.replace(secretPlaces, (_place, name: string) => {
    const value = secret(name) ?? "";
    if (value === "") throw missing(address, name);
    const encoded = encodeURIComponent(value.toWellFormed());
    values.push(value, encoded);
    return encoded;
  });
  return { given, values };
}

function missing(address: string, name: string): RowcallError {
  return new RowcallError(
    "SECRET_MISSING",
    `The webhook ${maskAddress(address)} needs ${name}, not set in the environment`,
    { hint: `Set it before the run: export ${name}=…` },
  );
}

interface WebhookAddress {
  /** Without user, password and fragment. */
  readonly url: URL;
  /** User and password, each empty where there is none. */
  readonly login: readonly [string, string];
  readonly authorization?: string;
  readonly secretName?: string;
}

function readAddress(address: string): WebhookAddress {
  const url = /^https?:\/\//i.test(address) ? URL.parse(address) : null;
  const refuse = (message: string, hint: string): RowcallError =>
    new RowcallError("CHANNEL_UNKNOWN", `${maskAddress(address)} ${message}`, { hint });
  if (url === null) throw refuse("is no webhook's URL", "Write it as https://HOST/PATH.");
  if (/^hooks\.slack(?:-gov)?\.com$/.test(url.hostname))
    throw refuse(
      "is Slack's, and a secret",
      "Put it into the environment variable SLACK_WEBHOOK_URL, and name slack: as the channel.",
    );
  const [, secretName] = /^#secret=(.+)$/.exec(url.hash) ?? [];
  if (url.hash !== "" && (secretName === undefined || !isVariableName(secretName)))
    throw refuse("ends in what is not known", "After # comes nothing but secret=NAME, an environment variable's name.");
  const login = [decoded(url.username), decoded(url.password)] as const;
  url.username = "";
  url.password = "";
  url.hash = "";
  return {
    url,
    login,
    authorization: login.join("") === "" ? undefined : `Basic ${Buffer.from(login.join(":")).toString("base64")}`,
    secretName,
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function hintFor(status: number): string {
  if (status === 401 || status === 403)
    return "Check that the receiver has the same secret, and what else it asks for.";
  if (status === 404 || status === 410) return "Check the webhook's address with its owner.";
  return "Ask the webhook's owner why it refuses.";
}
