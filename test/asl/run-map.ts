import type { JsonValue } from "../../src/core/json.ts";
import { record } from "./branch.ts";
import { isDistributed, type MapState } from "./definition.ts";
import { runDistributedMap } from "./run-distributed-map.ts";
import { runIterations } from "./run-iterations.ts";
import { evaluateNumberIn, evaluateTypedIn, refuse, type Step, type Visit } from "./visit.ts";

/** Runs the same states for each item, in the execution itself or as executions of their own. */
export async function runMap(visit: Visit<MapState>): Promise<Step> {
  const { run, state, branch } = visit;
  const items = state.ItemReader === undefined ? await findItems(visit) : undefined;
  const concurrency = await evaluateNumberIn(visit, state.MaxConcurrency, "MaxConcurrency", {});
  record(run, branch, "MapStateStarted", { length: items?.length ?? 0 });
  const result = isDistributed(state)
    ? await runDistributedMap(visit, items, concurrency ?? 0)
    : await runIterations(visit, items ?? [], concurrency ?? 0);
  return { result, outcome: state, at: "", next: state.Next };
}

// A failure here follows the event before the state's own, unlike all others.
async function findItems(visit: Visit<MapState>): Promise<readonly JsonValue[]> {
  const { branch, state, input, beforeId, enteredId } = visit;
  const { previous } = branch;
  if (previous === enteredId) branch.previous = beforeId;
  if (state.Items === undefined && !Array.isArray(input))
    refuse(visit, undefined, `Map state input must be an array but was: ${JSON.stringify(input)}`);
  const items = state.Items === undefined ? input : await evaluateTypedIn(visit, state.Items, "array", "Items");
  branch.previous = previous;
  return items as readonly JsonValue[];
}
