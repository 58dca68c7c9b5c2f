import type { JsonValue } from "../../src/core/json.ts";
import { createBranch, record, recordAborted, recordAside } from "./branch.ts";
import type { ParallelState } from "./definition.ts";
import { evaluateIn, type Step, type Visit } from "./visit.ts";

/** Runs branches side by side; the first that fails ends the others. */
export async function runParallel(visit: Visit<ParallelState>): Promise<Step> {
  const { run, state, branch } = visit;
  const input = state.Arguments === undefined ? visit.input : await evaluateIn(visit, state.Arguments, "Arguments");
  const previous = record(run, branch, "ParallelStateStarted");
  const others = new AbortController();
  const signal = AbortSignal.any([branch.signal, others.signal]);
  const branches = state.Branches.map(() =>
    createBranch(signal, { previous, outer: branch.scope, context: branch.context }),
  );
  let last = previous;
  const runs = state.Branches.map(async (sequence, index): Promise<JsonValue> => {
    const own = branches[index];
    if (own === undefined) throw new Error("A branch for each");
    try {
      const output = await run.runStates(sequence, input, own);
      last = own.previous;
      return output;
    } catch (error) {
      if (signal.aborted) throw error;
      branch.previous = own.previous;
      others.abort(error);
      recordAborted(run, branches, own, () => undefined);
      throw error;
    }
  });
  const result = await Promise.all(runs);
  branch.previous = last;
  recordAside(run, branch, "ParallelStateSucceeded");
  return { result, outcome: state, at: "", next: state.Next };
}
