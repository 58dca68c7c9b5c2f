import { setTimeout as wait } from "node:timers/promises";

/** How long to wait after so many failures in a row, 1-based: milliseconds. */
export type Backoff = (failures: number) => number;

const longestMs = 30_000;

/** From half a second, doubled each time up to half a minute; a random half is taken off, so that a fleet does not come back as one. */
export function createBackoff(random: () => number): Backoff {
  return (failures) => Math.min(500 * 2 ** (failures - 1), longestMs) * (1 - random() / 2);
}

/** Waits, and no longer than until the signal is aborted. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await wait(milliseconds, undefined, { signal }).catch(() => undefined);
}
