import type { Attempt } from "../../core/attempt.ts";
import type { RunObserver } from "../../core/engine.ts";
import type { Services } from "../../core/services.ts";

// Shorter waits are over before anybody wonders.
const tellFromMs = 10_000;
const tellEveryMs = 30_000;

/**
 * Tells whoever watches a run that rows wait for their next attempt, until when and why: now and then, and not of short waits.
 *
 * @returns what the pool calls when a row begins to wait
 */
export function tellWaits(
  { clock, monotonic }: Pick<Services, "clock" | "monotonic">,
  observer: RunObserver,
): (failed: Attempt, waitMs: number, rows: number) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  return ({ row, outcome }, waitMs, rows) => {
    const now = monotonic();
    if (outcome.status !== "failed" || waitMs < tellFromMs || now - toldAt < tellEveryMs) return;
    toldAt = now;
    const until = new Date(clock() + waitMs).toISOString().slice(0, 19).replace("T", " ");
    const message = `${rows} waiting to be tried again, row ${row} until ${until}Z after ${outcome.code}: ${outcome.message}`;
    observer.onEvent?.({ type: "notice", message });
  };
}
