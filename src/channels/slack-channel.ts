import { isVariableName, maskAddress, type Channel, type Notification } from "../core/channel.ts";
import { RowcallError } from "../core/errors.ts";
import { createMask } from "../core/mask.ts";
import type { ChannelOptions } from "./channel-options.ts";
import { postJson } from "./post-json.ts";

// A section holds 3,000 characters; what is escaped grows up to fivefold, so the cut is made afterwards.
const longestSection = 2900;

/**
 * Opens the channel that posts to an incoming webhook of Slack.
 *
 * @param address - `slack:NAME`, where the environment variable NAME holds the webhook's URL, which is a secret; `slack:` alone
 * stands for `SLACK_WEBHOOK_URL`
 * @throws RowcallError CHANNEL_UNKNOWN, SECRET_MISSING
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
export function openSlackChannel(
  address: string,
  { secret, timing }: Pick<ChannelOptions, "secret" | "timing">,
): Channel {
  const named = address.slice(address.indexOf(":") + 1);
  if (!isVariableName(named)) {
    throw new RowcallError("CHANNEL_UNKNOWN", `${maskAddress(address)} does not name an environment variable`, {
      hint: "Put the webhook's URL into one, such as SLACK_WEBHOOK_URL, and write slack:SLACK_WEBHOOK_URL.",
    });
  }
  const name = named === "" ? "SLACK_WEBHOOK_URL" : named;
  const url = readUrl(name, secret(name) ?? "");
  const mask = createMask([url.href, url.pathname]);
  return {
    notify: (notification) =>
      postJson(
        {
          url,
          headersAt: () => ({}),
          body: JSON.stringify(slackMessage(notification)),
          shown: `Slack's webhook in ${name}`,
          mask,
          hintFor: (status) =>
            status === 403 || status === 404 || status === 410
              ? `The webhook is gone or its app may not post there: make a new one and set ${name}.`
              : "Look at https://status.slack.com, and at the app's settings in Slack.",
        },
        timing,
      ),
  };
}

function readUrl(name: string, value: string): URL {
  if (value === "") {
    throw new RowcallError("SECRET_MISSING", `Slack needs ${name}, not set in the environment`, {
      hint: `Set it to the webhook's URL before the run: export ${name}=https://hooks.slack.com/…`,
    });
  }
  const url = /^https?:\/\//i.test(value) ? URL.parse(value) : null;
  if (url !== null && url.username === "" && url.password === "") return url;
  throw new RowcallError("CHANNEL_UNKNOWN", `What ${name} holds is no webhook's URL`, {
    hint: "Copy it from the app's page in Slack: https://hooks.slack.com/services/…",
  });
}

/** The subject in bold, then the body as it is; `text` is what a phone's notification shows. */
function slackMessage({ subject, body }: Notification): object {
  const section = (text: string): object => ({ type: "section", text: { type: "mrkdwn", text, verbatim: true } });
  const facts = cut(escape(body.replaceAll("```", "'''")), longestSection);
  return {
    text: escape(subject),
    blocks: [section(`*${cut(escape(subject), longestSection)}*`), section(`\`\`\`${facts}\`\`\``)],
    unfurl_links: false,
  };
}

/** @see https://docs.slack.dev/messaging/formatting-message-text#escaping */
function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function cut(escaped: string, length: number): string {
  if (escaped.length <= length) return escaped;
  return `${escaped
    .slice(0, length - 1)
    .replace(/&[a-z]*$/, "")
    .toWellFormed()}…`;
}
