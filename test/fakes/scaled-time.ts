import { setTimeout as wait } from "node:timers/promises";
import type { Clock } from "../../src/core/services.ts";

/** Time that goes as many times faster as one likes: what waits for hours is over in moments, and work takes its own time. */
export interface ScaledTime {
  readonly clock: Clock;
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export function createScaledTime(factor: number): ScaledTime {
  const start = Date.now();
  return {
    clock: () => Math.round(start + (Date.now() - start) * factor),
    wait: (ms, signal) => wait(ms / factor, undefined, signal && { signal }),
  };
}
