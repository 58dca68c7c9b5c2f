import { isJsonObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";
import { record } from "./branch.ts";
import type { TaskState } from "./definition.ts";
import { payloadDetails } from "./history.ts";
import { findIntegration } from "./integrations/find-integration.ts";
import { argumentProblems, type Integration } from "./integrations/integration.ts";
import { withinLimit } from "./payload.ts";
import { runActivity, type TaskLimits } from "./run-activity.ts";
import { failureDetails, StateFailure, UnsupportedError } from "./state-failure.ts";
import { evaluateIn, evaluateNumberIn, type Step, type Visit } from "./visit.ts";

/** Has a service do something and takes its answer. */
export async function runTask(visit: Visit<TaskState>): Promise<Step> {
  const { state, name, input } = visit;
  const given = state.Arguments === undefined ? input : await evaluateIn(visit, state.Arguments, "Arguments");
  withinLimit(given, name);
  const limits = {
    timeout: await evaluateNumberIn(visit, state.TimeoutSeconds, "TimeoutSeconds", { least: 1, most: 99_999_999 }),
    heartbeat: await evaluateNumberIn(visit, state.HeartbeatSeconds, "HeartbeatSeconds", {
      least: 1,
      most: 99_999_999,
    }),
  };
  const integration = findIntegration(state.Resource);
  const result =
    integration === undefined
      ? await runActivity(visit, given, limits)
      : await callIntegration(visit, integration, given, limits);
  return { result, outcome: state, at: "", next: state.Next };
}

async function callIntegration(
  visit: Visit<TaskState>,
  integration: Integration,
  given: JsonValue,
  { timeout, heartbeat }: TaskLimits,
): Promise<JsonValue> {
  const { run, branch } = visit;
  const { world } = run;
  const { action: resource, resourceType } = integration;
  const event = (type: string, details: JsonObject = {}): number =>
    record(run, branch, `Task${type}`, { ...details, resource, resourceType });
  event("Scheduled", {
    parameters: JSON.stringify(given),
    region: world.region,
    ...(timeout === undefined ? {} : { timeoutInSeconds: timeout }),
    ...(heartbeat === undefined ? {} : { heartbeatInSeconds: heartbeat }),
  });
  event("Started");
  const over = new AbortController();
  const signal = AbortSignal.any([branch.signal, over.signal]);
  try {
    const answer = integration.call({
      world,
      arguments: checkArguments(visit, integration, given),
      signal,
      submitted: (output) => event("Submitted", payloadDetails("output", output)),
    });
    const result = await (timeout === undefined
      ? answer
      : Promise.race([answer, fail(world.wait(timeout * 1000, signal), new StateFailure("States.Timeout"))]));
    withinLimit(result, resourceType);
    event("Succeeded", payloadDetails("output", result));
    return result;
  } catch (error) {
    if (!(error instanceof StateFailure)) throw error;
    branch.signal.throwIfAborted();
    event(error.error === "States.Timeout" ? "TimedOut" : "Failed", failureDetails(error));
    throw error;
  } finally {
    over.abort(new StateFailure(undefined, "The task is over"));
  }
}

async function fail(wait: Promise<void>, failure: StateFailure): Promise<never> {
  await wait;
  throw failure;
}

// The loader has looked at literal arguments; this is for those that come out of an expression.
function checkArguments(visit: Visit, integration: Integration, given: JsonValue): JsonObject {
  if (!isJsonObject(given)) throw new UnsupportedError(`State "${visit.name}" has "Arguments" that are no object`);
  const [problem] = argumentProblems(integration, given);
  if (problem !== undefined) throw new UnsupportedError(`State "${visit.name}" ${problem}`);
  return given;
}
