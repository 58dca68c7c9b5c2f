import type { Catcher, Retrier } from "./definition.ts";
import type { StateFailure } from "./state-failure.ts";

// What no wildcard takes; the runtime's own failure takes nothing at all.
const terminal: ReadonlySet<string | undefined> = new Set(["States.DataLimitExceeded", "States.Runtime"]);
const timeouts: ReadonlySet<string | undefined> = new Set(["States.Timeout", "States.HeartbeatTimeout"]);

/**
 * Whether a list of `ErrorEquals` takes a failure.
 *
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
 */
export function takes(errorEquals: readonly string[], { error, alias }: StateFailure): boolean {
  if (error === "States.Runtime") return false;
  return errorEquals.some((name) => {
    if (name === "States.ALL") return !terminal.has(error);
    if (name === "States.TaskFailed" && !terminal.has(error) && !timeouts.has(error)) return true;
    return name === error || name === alias;
  });
}

/** How often each retrier has been used in one visit of a state. */
export type RetryCounts = Map<Retrier, number>;

/**
 * How long to wait before the state is tried again.
 *
 * @param counts - the retrier that is used is counted
 * @param random - a number in [0, 1)
 * @returns milliseconds; undefined when it is not tried again
 */
export function nextTry(
  retriers: readonly Retrier[],
  failure: StateFailure,
  counts: RetryCounts,
  random: () => number,
): number | undefined {
  const retrier = retriers.find(({ ErrorEquals }) => takes(ErrorEquals, failure));
  if (retrier === undefined) return undefined;
  const used = counts.get(retrier) ?? 0;
  if (used >= (retrier.MaxAttempts ?? 3)) return undefined;
  counts.set(retrier, used + 1);
  const grown = (retrier.IntervalSeconds ?? 1) * (retrier.BackoffRate ?? 2) ** used;
  const seconds = Math.min(grown, retrier.MaxDelaySeconds ?? Infinity);
  return 1000 * (retrier.JitterStrategy === "FULL" ? seconds * random() : seconds);
}

/** The catcher that takes a failure, and its place in the list. */
export function findCatcher(
  catchers: readonly Catcher[],
  failure: StateFailure,
): { readonly catcher: Catcher; readonly index: number } | undefined {
  const index = catchers.findIndex(({ ErrorEquals }) => takes(ErrorEquals, failure));
  const catcher = catchers[index];
  return catcher && { catcher, index };
}
