/** Waits; the promise is rejected with the signal's reason when the signal is aborted first. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

/** Time that passes only when told to. */
export interface VirtualClock {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** The same. */
  readonly monotonic: () => number;
  readonly wait: Wait;
  /** Milliseconds until the next wait ends; undefined when nobody waits. */
  nextMs(): number | undefined;
  /** Lets time pass, ending waits in the order they are due and letting each one's consequences happen before the next. */
  advance(ms: number): Promise<void>;
}

interface Sleeper {
  readonly due: number;
  wake(): void;
}

/** @param start - milliseconds since 1970 */
export function createVirtualClock(start: number = Date.UTC(2026, 0, 1)): VirtualClock {
  let now = start;
  const sleepers = new Set<Sleeper>();
  const next = (): number | undefined => {
    let soonest: number | undefined;
    for (const { due } of sleepers) if (soonest === undefined || due < soonest) soonest = due;
    return soonest;
  };
  return {
    clock: () => now,
    monotonic: () => now,
    wait: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason as Error);
        const onAbort = (): void => {
          sleepers.delete(sleeper);
          reject(signal.reason as Error);
        };
        const sleeper = {
          due: now + Math.max(0, ms),
          wake: () => {
            sleepers.delete(sleeper);
            signal.removeEventListener("abort", onAbort);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal.addEventListener("abort", onAbort, { once: true });
      }),
    nextMs: () => {
      const due = next();
      return due === undefined ? undefined : due - now;
    },
    advance: async (ms) => {
      const end = now + ms;
      await settle();
      for (let due = next(); due !== undefined && due <= end; due = next()) {
        now = due;
        for (const sleeper of sleepers) if (sleeper.due === due) sleeper.wake();
        await settle();
      }
      now = end;
    },
  };
}

/** Lets everything happen that waits for no time and no other process. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
