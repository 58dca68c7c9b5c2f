import type { Timing } from "../../src/channels/channel-options.ts";

/** Time and chance in a test's hands. */
export interface TestTiming extends Timing {
  /** Waits between tries so far, in milliseconds. */
  readonly waits: readonly number[];
  /** Ends the time limits that are running now. */
  expire(): void;
}

/** Waits between tries end at once and move the clock; time limits run until they are ended, or called off. */
export function createTestTiming(options: { readonly startAt?: number; readonly random?: number } = {}): TestTiming {
  const startAt = options.startAt ?? Date.UTC(2025, 9, 18, 5, 30);
  let passed = 0;
  const waits: number[] = [];
  const limits = new Set<() => void>();
  return {
    clock: () => startAt + passed,
    monotonic: () => passed,
    random: () => options.random ?? 0.5,
    wait: (milliseconds, signal) => {
      if (signal !== undefined) {
        return new Promise((resolve, reject) => {
          limits.add(resolve);
          signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
        });
      }
      waits.push(milliseconds);
      passed += milliseconds;
      return Promise.resolve();
    },
    waits,
    expire: () => limits.forEach((end) => end()),
  };
}
