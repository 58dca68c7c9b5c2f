import type { JsonValue } from "../../src/core/json.ts";
import type { Branch, Run } from "./branch.ts";
import type { Sequence } from "./definition.ts";
import { runState } from "./run-state.ts";

/**
 * Runs states until one of them has no next.
 *
 * @throws StateFailure that no catcher took; the signal's reason when the branch is aborted
 */
export async function runStates(run: Run, sequence: Sequence, input: JsonValue, branch: Branch): Promise<JsonValue> {
  let name: string | undefined = sequence.StartAt;
  let value = input;
  while (name !== undefined) {
    const state = sequence.States[name];
    if (state === undefined) throw new Error(`There is no state ${name}: a definition was not checked`);
    // The execution's own states have no scope around them.
    if (branch.scope.outer === undefined)
      run.execution.position = { state: name, input: value, variables: { ...branch.scope.variables } };
    ({ output: value, next: name } = await runState(run, name, state, value, branch));
  }
  return value;
}
