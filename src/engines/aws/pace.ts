import type { Monotonic } from "../../core/services.ts";

/** Waits; rejected when the signal is aborted. */
export type Wait = (ms: number, signal?: AbortSignal) => Promise<void>;

/**
 * Lets calls through one after the other, none sooner than so many milliseconds after the one before: what AWS counts, it counts for a
 * whole account.
 */
export function createPace(everyMs: number, monotonic: Monotonic, wait: Wait): (signal?: AbortSignal) => Promise<void> {
  let next = Number.NEGATIVE_INFINITY;
  return async (signal) => {
    const now = monotonic();
    const turn = Math.max(now, next);
    next = turn + everyMs;
    if (turn > now) await wait(turn - now, signal);
  };
}
