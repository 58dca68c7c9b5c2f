import { AsyncLocalStorage } from "node:async_hooks";
import type { Warning } from "../core/errors.ts";

/** The part of the program on whose behalf an agent's code runs: one attempt, or the opening of the agent. */
export interface AgentScope {
  /**
   * Takes an error that nothing in the agent's code catches.
   *
   * @returns what is still to be told; undefined when the scope has dealt with it
   */
  takeError(thrown: unknown): Warning | undefined;
  /**
   * Takes a call by which the agent's code would end the process.
   *
   * @param call - as it was written: `process.exit(0)`
   * @returns as `takeError` does
   */
  takeExit(call: string): Warning | undefined;
  /** The row in flight on whose behalf the code runs; undefined while an agent is opened. */
  readonly row?: number;
}

const scopes = new AsyncLocalStorage<AgentScope>();
// Places that are used again, not a set: what a set has grown out of keeps later entries alive until the next full collection.
const inFlight: (AgentScope | undefined)[] = [];
const freePlaces: number[] = [];

/** Runs an agent's code in a scope; whatever it begins belongs to the scope too: timers, promises, streams, listeners. */
export function inAgentScope<T>(scope: AgentScope, work: () => T): T {
  return scopes.run(scope, work);
}

/** The scope of the code that is running, also in the process's handlers of uncaught errors; undefined outside of agents. */
export function currentAgentScope(): AgentScope | undefined {
  return scopes.getStore();
}

/** Notes that an attempt is in flight in this process. Returns its place, for {@link leaveFlight}. */
export function enterFlight(scope: AgentScope): number {
  const place = freePlaces.pop() ?? inFlight.length;
  inFlight[place] = scope;
  return place;
}

/** Notes that an attempt is in flight no longer. */
export function leaveFlight(place: number): void {
  inFlight[place] = undefined;
  freePlaces.push(place);
}

/** Whether an attempt is in flight in this process. */
export function isAnyInFlight(): boolean {
  return freePlaces.length < inFlight.length;
}

/** Rows in flight in this process, in order. */
export function rowsInFlight(): readonly number[] {
  return inFlight.flatMap((scope) => scope?.row ?? []).sort((a, b) => a - b);
}
