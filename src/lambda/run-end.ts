import { randomUUID } from "node:crypto";
import type { Notifications } from "../core/batch.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { OpenChannel } from "../core/channel.ts";
import { snsPublication } from "../channels/sns-channel.ts";
import { batchOutput, failureOf } from "../app/state-machine.ts";
import { composeNotification, owedNews, sendNotification } from "../runs/compose-notification.ts";
import type { FinishedRun } from "../engines/aws/finish.ts";

/** How an execution of the batch processor ends. */
export interface RunEnd {
  /** Of an execution that succeeds. */
  readonly output?: JsonObject;
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
  /** What the state machine publishes. */
  readonly notification?: JsonValue;
}

/** The end of a run that was written. Channels other than the first topic are told here; whatever becomes of it is a line in the log. */
export async function endOf(finished: FinishedRun, openChannel: OpenChannel): Promise<RunEnd> {
  const { run, failures, notifications } = finished;
  const kind = owedNews(run.status, notifications);
  if (kind === undefined) return resultOf(finished);
  const notification = composeNotification(randomUUID(), kind, run, failures);
  const topic = topicOf(notifications);
  for (const address of notifications.channels.filter((one) => one !== topic)) {
    const error = await sendNotification({ openChannel }, address, notification);
    if (error !== undefined) console.error(`The notification to a channel failed: ${error.message}`);
  }
  return {
    ...resultOf(finished),
    ...(topic === undefined ? {} : { notification: snsPublication(topic, notification) as unknown as JsonValue }),
  };
}

/** The end of an execution that was refused before a row ran. */
export function refusedEnd(
  thrown: unknown,
  execution: string,
  notifications: Notifications | undefined,
  defaultTopic: string | undefined,
): RunEnd {
  const { error, cause } = failureOf(thrown);
  const topic =
    notifications === undefined ? defaultTopic : notifications.onFailure ? topicOf(notifications) : undefined;
  if (topic === undefined) return { error, cause };
  return {
    error,
    cause,
    notification: {
      TopicArn: topic,
      Subject: `Rowcall batch refused: ${error}`,
      Message: `${error}: ${cause}\n\nExecution: ${execution}\nNo row was run.`,
      MessageAttributes: {
        status: { DataType: "String", StringValue: "FAILURE" },
        execution_id: { DataType: "String", StringValue: execution },
      },
    },
  };
}

function resultOf({ run }: FinishedRun): Pick<RunEnd, "output" | "error" | "cause"> {
  try {
    return { output: batchOutput(run) };
  } catch (thrown) {
    if (run.status !== "failed") return failureOf(thrown);
    return { error: "States.Runtime", cause: `${run.reason}. What there is: ${run.outputUri ?? "none"}` };
  }
}

function topicOf({ channels }: Notifications): string | undefined {
  return channels.find((address) => /^arn:[\w-]+:sns:/.test(address));
}
