import { setImmediate as settled } from "node:timers/promises";
import TinyQueue from "tinyqueue";

/** Time that passes as fast as the work in it is done. */
export interface VirtualTime {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** The same. */
  readonly monotonic: () => number;
  /** Resolves when so many milliseconds have passed, or rejects when the signal is aborted. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
  /** Lets time pass until the work is done, or nothing is left to wait for. */
  run<T>(work: Promise<T>): Promise<T>;
}

/** Begins at a fixed time. */
export function createVirtualTime(): VirtualTime {
  let now = Date.parse("2025-10-18T05:30:00Z");
  let made = 0;
  const timers = new TinyQueue<{ readonly at: number; readonly turn: number; readonly resolve: () => void }>(
    [],
    (a, b) => a.at - b.at || a.turn - b.turn,
  );
  return {
    clock: () => now,
    monotonic: () => now,
    wait: (ms, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const onAbort = (): void => reject(signal?.reason as Error);
      signal?.addEventListener("abort", onAbort, { once: true });
      const end = (): void => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      timers.push({ at: now + ms, turn: (made += 1), resolve: end });
      return promise;
    },
    run: async (work) => {
      let isOver = false;
      const end = (): void => void (isOver = true);
      work.then(end, end);
      for (await settled(); !isOver; await settled()) {
        const timer = timers.pop();
        if (timer === undefined) throw new Error("Nothing is left to wait for, and the work is not done");
        now = timer.at;
        timer.resolve();
      }
      return work;
    },
  };
}
