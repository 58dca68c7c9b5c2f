import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import type { Sequence } from "./definition.ts";
import type { Execution } from "./execution.ts";
import type { World } from "./world.ts";

/** What a state runs in. */
export interface Run {
  readonly world: World;
  readonly execution: Execution;
  /**
   * Runs states until one of them has no next.
   *
   * @throws StateFailure that no catcher took; the signal's reason when the branch is aborted
   */
  runStates(sequence: Sequence, input: JsonValue, branch: Branch): Promise<JsonValue>;
}

/** Variables of a branch; those of the branch around it can be read. */
export interface Scope {
  readonly variables: Record<string, JsonValue>;
  readonly outer?: Scope;
}

/** States that run one after the other: an execution, a branch of a Parallel state, an iteration of a Map state. */
export interface Branch {
  readonly signal: AbortSignal;
  readonly scope: Scope;
  /** What the context object has besides the usual. */
  readonly context: JsonObject;
  /** Id of its newest event, which the next one follows. */
  previous: number;
  /** Type of the state that it is in. */
  open: string | undefined;
}

/**
 * Begins a branch.
 *
 * @param signal - aborted when the branch is to end; it is silent from then on
 */
export function createBranch(
  signal: AbortSignal,
  { previous = 0, outer, context = {} }: { previous?: number; outer?: Scope; context?: JsonObject },
): Branch {
  const scope = { variables: {}, ...(outer === undefined ? {} : { outer }) };
  return { signal, scope, context, previous, open: undefined };
}

/** Adds an event to the history, after the branch's newest one. */
export function record({ execution }: Run, branch: Branch, type: string, details?: JsonObject): number {
  branch.signal.throwIfAborted();
  branch.previous = execution.history.add(type, branch.previous, details);
  return branch.previous;
}

/** Adds an event that the next one does not follow. */
export function recordAside({ execution }: Run, branch: Branch, type: string, details?: JsonObject): number {
  branch.signal.throwIfAborted();
  return execution.history.add(type, branch.previous, details);
}

/** All variables that can be read in a scope. */
export function readVariables(scope: Scope): Readonly<Record<string, JsonValue>> {
  return scope.outer === undefined ? scope.variables : { ...readVariables(scope.outer), ...scope.variables };
}

/**
 * Ends branches because one of them failed: their states and iterations are recorded as aborted.
 *
 * @param failed - the branch at fault, whose newest event the new ones follow
 * @param beforeEach - records what stands before the state of a branch that was cut off, such as its iteration's end
 */
export function recordAborted(
  run: Run,
  branches: readonly Branch[],
  failed: Branch,
  beforeEach: (branch: Branch, index: number) => void,
): void {
  for (const [index, branch] of branches.entries()) {
    beforeEach(branch, index);
    if (branch.open !== undefined && abortable.has(branch.open))
      run.execution.history.add(`${branch.open}StateAborted`, failed.previous);
  }
}

const abortable: ReadonlySet<string> = new Set(["Task", "Wait", "Map", "Parallel"]);
