import type { MessageAttributeValue, PublishCommandInput } from "@aws-sdk/client-sns";
import { explainAws, type AwsProblem, awsClientConfig, parseArn } from "../aws/aws.ts";
import type { Channel, Notification } from "../core/channel.ts";
import { RowcallError } from "../core/errors.ts";
import type { ChannelOptions } from "./channel-options.ts";
import { withTimeLimit } from "./time-limit.ts";

// SNS's own limits, and "less than 100": https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
const longestSubject = 99;
const largestMessage = 256 * 1024;

const limitMs = 60_000;
const tooSlow: AwsProblem = {
  kind: "transient",
  name: "",
  what: `there was no answer within ${limitMs / 1000} seconds`,
  hint: "Check the network, --endpoint-url and AWS_ENDPOINT_URL.",
};

/**
 * Opens the channel that publishes to an SNS topic, standard or FIFO.
 *
 * @param address - the topic's ARN, whose region is taken
 * @throws RowcallError CHANNEL_UNKNOWN
 * @see docs/notifications.md for attributes and the policy that is needed
 */
export function openSnsChannel(address: string, { aws, timing }: Pick<ChannelOptions, "aws" | "timing">): Channel {
  const region = regionOf(address);
  return {
    notify: async (notification) => {
      const { PublishCommand, SNSClient } = await import("@aws-sdk/client-sns");
      const client = new SNSClient(awsClientConfig(aws, "SNS", region));
      const command = new PublishCommand(snsPublication(address, notification));
      await withTimeLimit(timing, limitMs, async (abortSignal) => {
        try {
          await client.send(command, { abortSignal });
        } catch (cause) {
          throw failed(address, abortSignal.aborted ? tooSlow : explainAws(cause), cause);
        } finally {
          client.destroy();
        }
      });
    },
  };
}

function regionOf(address: string): string {
  const arn = parseArn(address);
  const isTopic =
    arn?.service === "sns" &&
    arn.region !== "" &&
    /^\d{12}$/.test(arn.account) &&
    /^[\w-]{1,256}(?:\.fifo)?$/.test(arn.resource);
  if (isTopic) return arn.region;
  throw new RowcallError("CHANNEL_UNKNOWN", `${address} is not the ARN of an SNS topic`, {
    hint: "It looks like arn:aws:sns:eu-west-1:123456789012:TOPIC; `aws sns list-topics` shows yours.",
  });
}

/** What is published. The subject stands in the message too: where SNS has a subject, it is short and ASCII. */
export function snsPublication(topic: string, notification: Notification): PublishCommandInput {
  const { id, run, subject, body } = notification;
  const attributes = attributesOf(notification);
  const room = largestMessage - sizeOf(attributes);
  return {
    TopicArn: topic,
    Subject: snsSubject(subject),
    Message: cutBytes(sendable(`${subject}\n\n${body}`), room),
    MessageAttributes: attributes,
    ...(topic.endsWith(".fifo") ? { MessageGroupId: run.id, MessageDeduplicationId: id } : {}),
  };
}

function attributesOf({ kind, run }: Notification): Record<string, MessageAttributeValue> {
  const text = (value: string): MessageAttributeValue => ({ DataType: "String", StringValue: sendable(value) });
  const number = (value: number): MessageAttributeValue => ({ DataType: "Number", StringValue: String(value) });
  return {
    status: text(kind === "success" ? "SUCCESS" : "FAILURE"),
    execution_id: text(run.id),
    agent: text(run.agent),
    rows_total: number(run.counts.total),
    rows_successful: number(run.counts.succeeded),
    rows_failed: number(run.counts.failed),
    // SNS refuses an attribute without a value.
    ...(run.outputUri === undefined || run.outputUri === "" ? {} : { output_s3_uri: text(run.outputUri) }),
  };
}

/**
 * A line as SNS takes it for a subject: less than 100 characters of ASCII that do not begin with a space. Accents are dropped, and what
 * else is not ASCII becomes `?`.
 */
export function snsSubject(text: string): string {
  const line = text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[\s\p{Cc}]+/gu, " ")
    .replace(/[^\x20-\x7e]/gu, "?")
    .trim();
  if (line === "") return "Rowcall";
  return line.length <= longestSubject ? line : `${line.slice(0, longestSubject - 3).trimEnd()}...`;
}

// Control characters other than tab and line feed are no text.
function sendable(text: string): string {
  return text.toWellFormed().replace(/(?![\t\n])\p{Cc}/gu, " ");
}

function sizeOf(attributes: Record<string, MessageAttributeValue>): number {
  const parts = Object.entries(attributes).flatMap(([name, { DataType = "", StringValue = "" }]) => [
    name,
    DataType,
    StringValue,
  ]);
  return Buffer.byteLength(parts.join(""));
}

function cutBytes(text: string, bytes: number): string {
  const content = Buffer.from(text);
  if (content.length <= bytes) return text;
  const ellipsis = "…";
  const kept = content.subarray(0, bytes - Buffer.byteLength(ellipsis)).toString("utf8");
  // A character that was cut in two is no character.
  return `${kept.replace(/(?<!\uFFFD)\uFFFD+$/, "")}${ellipsis}`;
}

function failed(topic: string, { kind, name, what, hint }: AwsProblem, cause: unknown): RowcallError {
  const isForbidden = /^(?:AccessDenied|AuthorizationError|Forbidden|403)/.test(name);
  return new RowcallError("CHANNEL_FAILED", `Cannot publish to ${topic}: ${what}`, {
    hint: isForbidden
      ? "Allow sns:Publish on this topic, in the policy of these credentials or of the topic."
      : kind === "missing"
        ? "Check the ARN: its name, account and region."
        : hint,
    cause,
    details: name === "" ? {} : { awsError: name },
  });
}
