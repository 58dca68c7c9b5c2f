import type { Clocks } from "../core/services.ts";

/** The machine's own clocks. */
export const machineClocks: Clocks = {
  clock: Date.now,
  // Since the machine's start: unlike `performance.now()`, the same in all processes.
  monotonic: () => Number(process.hrtime.bigint()) / 1e6,
};
