import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { record, type Branch, type Run } from "./branch.ts";
import type { Outcome, State } from "./definition.ts";
import { payloadDetails } from "./history.ts";
import { withinLimit } from "./payload.ts";
import { findCatcher, nextTry, type RetryCounts } from "./retry.ts";
import { runChoice } from "./run-choice.ts";
import { runFail } from "./run-fail.ts";
import { runMap } from "./run-map.ts";
import { runParallel } from "./run-parallel.ts";
import { runTask } from "./run-task.ts";
import { runWait } from "./run-wait.ts";
import { errorOutput, StateFailure } from "./state-failure.ts";
import { evaluateIn, type Extras, type Step, type Visit } from "./visit.ts";

/** How a state was left. */
export interface Leaving {
  readonly output: JsonValue;
  /** Undefined at the end of the sequence. */
  readonly next: string | undefined;
}

/**
 * Runs one state, with its retries and catchers, and records its events.
 *
 * @throws StateFailure that no catcher took; the signal's reason when the branch is aborted
 */
export async function runState(
  run: Run,
  name: string,
  state: State,
  input: JsonValue,
  branch: Branch,
): Promise<Leaving> {
  const beforeId = branch.previous;
  const enteredId = record(run, branch, `${state.Type}StateEntered`, { name, ...payloadDetails("input", input) });
  branch.open = state.Type;
  const visit: Visit = {
    run,
    name,
    state,
    input,
    branch,
    enteredId,
    beforeId,
    enteredAt: run.world.clock(),
    retryCount: 0,
  };
  const retriers = "Retry" in state ? (state.Retry ?? []) : [];
  const counts: RetryCounts = new Map();
  for (;;) {
    try {
      const { result, outcome, at, next } = await runBody(visit);
      return result === undefined
        ? await leave(visit, outcome, at, next, input, {})
        : await leave(visit, outcome, at, next, result, { result });
    } catch (error) {
      if (!(error instanceof StateFailure)) throw error;
      branch.signal.throwIfAborted();
      const delayMs = nextTry(retriers, error, counts, run.world.random);
      if (delayMs === undefined) return await caught(visit, error);
      await run.world.wait(delayMs, branch.signal);
      visit.retryCount += 1;
    }
  }
}

function runBody(visit: Visit): Promise<Step> | Step {
  const { state } = visit;
  switch (state.Type) {
    case "Task":
      return runTask({ ...visit, state });
    case "Map":
      return runMap({ ...visit, state });
    case "Parallel":
      return runParallel({ ...visit, state });
    case "Choice":
      return runChoice({ ...visit, state });
    case "Wait":
      return runWait({ ...visit, state });
    case "Fail":
      return runFail({ ...visit, state });
    case "Pass":
      return { outcome: state, at: "", next: state.Next };
    case "Succeed":
      return { outcome: state, at: "", next: undefined };
  }
}

async function caught(visit: Visit, failure: StateFailure): Promise<Leaving> {
  const { run, state, branch } = visit;
  if ((state.Type === "Map" || state.Type === "Parallel") && failure.error !== "States.Runtime") {
    record(run, branch, `${state.Type}StateFailed`);
    branch.open = undefined;
  }
  const found = "Catch" in state ? findCatcher(state.Catch ?? [], failure) : undefined;
  if (found === undefined) throw failure;
  const { catcher, index } = found;
  const said: JsonObject = { ...errorOutput(failure) };
  return leave(visit, catcher, `Catch[${index}]/`, catcher.Next, said, { errorOutput: said });
}

// Assign and Output see the same variables: those from before the state.
async function leave(
  visit: Visit,
  outcome: Outcome,
  at: string,
  next: string | undefined,
  defaultOutput: JsonValue,
  extras: Extras,
): Promise<Leaving> {
  const { run, name, state, branch } = visit;
  const assigned =
    outcome.Assign === undefined
      ? undefined
      : ((await evaluateIn(visit, outcome.Assign, `${at}Assign`, extras)) as Record<string, JsonValue>);
  const output =
    outcome.Output === undefined ? defaultOutput : await evaluateIn(visit, outcome.Output, `${at}Output`, extras);
  if (assigned !== undefined) withinLimit(assigned, name);
  withinLimit(output, name);
  record(run, branch, `${state.Type}StateExited`, {
    ...(assigned === undefined || Object.keys(assigned).length === 0 ? {} : assignedDetails(assigned)),
    name,
    ...payloadDetails("output", output),
  });
  branch.open = undefined;
  Object.assign(branch.scope.variables, assigned);
  return { output, next };
}

function assignedDetails(assigned: Readonly<Record<string, JsonValue>>): JsonObject {
  return {
    assignedVariables: Object.fromEntries(Object.entries(assigned).map(([key, value]) => [key, JSON.stringify(value)])),
    assignedVariablesDetails: { truncated: false },
  };
}
