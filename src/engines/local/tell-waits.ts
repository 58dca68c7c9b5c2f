import type { RunObserver } from "../../core/engine.ts";
import type { WaitingRows } from "../../core/run.ts";
import type { Services } from "../../core/services.ts";

// Shorter waits are over before anybody wonders.
const tellFromMs = 10_000;
const tellEveryMs = 30_000;

/**
 * Tells whoever watches a run that rows wait for their next attempt, until when and why: now and then, and not of short waits.
 *
 * @param waiting - reads which rows wait now
 * @returns to be called when rows may have begun to wait
 */
export function tellWaits(
  { clock, monotonic }: Pick<Services, "clock" | "monotonic">,
  waiting: () => WaitingRows | undefined,
  observer: RunObserver,
): () => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = monotonic();
    if (observer.onEvent === undefined || now - toldAt < tellEveryMs) return;
    const { rows, row, until, code, message } = waiting() ?? { until: 0 };
    if (rows === undefined || until - clock() < tellFromMs) return;
    toldAt = now;
    const due = new Date(until).toISOString().slice(0, 19).replace("T", " ");
    const words = `${rows} waiting to be tried again, row ${row} until ${due}Z after ${code}: ${message}`;
    observer.onEvent({ type: "notice", message: words });
  };
}
