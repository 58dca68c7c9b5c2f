import { randomUUID } from "node:crypto";
import type { TaskState as QueuedTask } from "../../src/core/activity.ts";
import type { JsonValue } from "../../src/core/json.ts";
import { record } from "./branch.ts";
import type { TaskState } from "./definition.ts";
import { payloadDetails } from "./history.ts";
import { withinLimit } from "./payload.ts";
import { failureDetails, StateFailure, UnsupportedError } from "./state-failure.ts";
import { inState, type Visit } from "./visit.ts";

/** The limits of one try of a task, in seconds. */
export interface TaskLimits {
  readonly timeout: number | undefined;
  readonly heartbeat: number | undefined;
}

/** The name in an activity's ARN; undefined for another ARN. */
export function activityName(resource: string): string | undefined {
  return /^arn:aws[\w-]*:states:[\w-]+:\d+:activity:([^:]+)$/.exec(resource)?.[1];
}

/** Has a worker do a task. Its limits count from when a worker takes it. */
export async function runActivity(
  visit: Visit<TaskState>,
  input: JsonValue,
  { timeout, heartbeat }: TaskLimits,
): Promise<JsonValue> {
  const { run, branch, state } = visit;
  const queue = run.world.activities;
  if (queue === undefined) throw new UnsupportedError("The interpreter was given no `activities`");
  const activity = activityName(state.Resource) ?? "";
  if (queue.findActivity(activity) === undefined)
    throw new StateFailure("States.Runtime", inState(visit, `The activity ${state.Resource} does not exist.`));
  record(run, branch, "ActivityScheduled", {
    resource: state.Resource,
    ...payloadDetails("input", input),
    ...(timeout === undefined ? {} : { timeoutInSeconds: timeout }),
    ...(heartbeat === undefined ? {} : { heartbeatInSeconds: heartbeat }),
  });
  const key = `${run.execution.arn}/${randomUUID()}`;
  queue.schedule([
    {
      activity,
      key,
      input: JSON.stringify(input),
      ...(timeout === undefined ? {} : { timeoutSeconds: timeout }),
      ...(heartbeat === undefined ? {} : { heartbeatSeconds: heartbeat }),
    },
  ]);
  const started = startedOnce((worker) =>
    record(run, branch, "ActivityStarted", worker === "" ? {} : { workerName: worker }),
  );
  const ended = Promise.withResolvers<QueuedTask>();
  const watch = queue.watch(key, (task) => {
    if (branch.signal.aborted) return;
    try {
      if (task.worker !== undefined) started(task.worker);
      if (task.end !== undefined) ended.resolve(task);
    } catch (error) {
      ended.reject(error);
    }
  });
  try {
    const task = await run.world.outside(branch.signal, () => ended.promise);
    return conclude(visit, task);
  } finally {
    watch.close();
    queue.cancel([key]);
  }
}

function startedOnce(tell: (worker: string) => void): (worker: string) => void {
  let told = false;
  return (worker) => {
    if (told) return;
    told = true;
    tell(worker);
  };
}

function conclude({ run, branch }: Visit, { end }: QueuedTask): JsonValue {
  try {
    const output = outputOf(end);
    record(run, branch, "ActivitySucceeded", payloadDetails("output", output));
    return output;
  } catch (error) {
    if (!(error instanceof StateFailure)) throw error;
    branch.signal.throwIfAborted();
    const type = error.error === "States.Timeout" ? "ActivityTimedOut" : "ActivityFailed";
    record(run, branch, type, failureDetails(error));
    throw error;
  }
}

function outputOf(end: QueuedTask["end"]): JsonValue {
  switch (end?.status) {
    case "succeeded":
      return withinLimit(JSON.parse(end.output) as JsonValue, "activity");
    case "failed":
      throw new StateFailure(end.error, end.cause);
    case "timed_out":
      // AWS says Timeout of silent workers too, and lets catchers know them by either name.
      throw new StateFailure(
        "States.Timeout",
        undefined,
        end.limit === "heartbeat" ? "States.HeartbeatTimeout" : undefined,
      );
    case undefined:
      throw new Error("A task that has not ended");
  }
}
