import process from "node:process";
import type { Notifications } from "../core/batch.ts";
import { RowcallError } from "../core/errors.ts";
import { batchOfInput, loadBatch } from "../runs/load-batch.ts";
import { readExecutionInput } from "../engines/aws/execution-input.ts";
import type { FunctionSetup } from "../engines/aws/function-setup.ts";
import { prepareRun, type Plan, type PrepareEvent } from "../engines/aws/prepare.ts";
import { byCode } from "./by-code.ts";
import { functionSetup } from "./function-setup.ts";
import { refusedEnd, type RunEnd } from "./run-end.ts";

/** Prepares a run, or says how the execution ends. */
export const handler: (event: PrepareEvent) => Promise<Plan | { readonly end: RunEnd }> = byCode((event) =>
  prepare(functionSetup(), event, process.env["TOPIC_ARN"]),
);

/** The same, standing on what it is given; `defaultTopic` is told of what is refused before it is known whom to tell. */
export async function prepare(
  setup: FunctionSetup,
  event: PrepareEvent,
  defaultTopic: string | undefined,
): Promise<Plan | { readonly end: RunEnd }> {
  try {
    return await prepareRun(setup, event);
  } catch (thrown) {
    // What may pass is the state machine's to try again.
    if (!(thrown instanceof RowcallError) || thrown.retryable) throw thrown;
    const notifications = await notificationsOf(setup, event);
    return { end: refusedEnd(thrown, event.execution, notifications, defaultTopic) };
  }
}

async function notificationsOf(
  { services }: FunctionSetup,
  { input }: PrepareEvent,
): Promise<Notifications | undefined> {
  try {
    const batch = await loadBatch(services, batchOfInput(readExecutionInput(input).input));
    return batch.notifications;
  } catch {
    return undefined;
  }
}
