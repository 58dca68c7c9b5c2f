import type { RunObserver } from "../../core/engine.ts";
import type { Run } from "../../core/run.ts";
import type { Services } from "../../core/services.ts";
import type { ExecuteSetup } from "./execute.ts";
import type { RunRecord } from "../../runs/journal.ts";

const everyMs = 100;

/** Tells whoever watches how far a run is. */
export interface ProgressTeller {
  readonly update: ExecuteSetup["onProgress"];
  /** Nothing is told after this. */
  stop(): void;
}

/**
 * Tells how far a run is, now and then, and that it is paused, or goes on, at once. What comes too soon is told a little later: nothing
 * may follow it for an hour.
 *
 * @param toRun - the record of a running run as others see it
 */
export function tellProgress(
  run: RunRecord,
  toRun: (record: RunRecord) => Run,
  { monotonic }: Pick<Services, "monotonic">,
  observer: RunObserver,
): ProgressTeller {
  let newest = run;
  let toldAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const tell = (): void => {
    clearTimeout(timer);
    timer = undefined;
    toldAt = monotonic();
    observer.onEvent?.({ type: "progress", run: toRun(newest) });
  };
  return {
    update: (counts, limits) => {
      if (observer.onEvent === undefined) return;
      const isPauseNews = limits.paused !== newest.limits?.paused;
      newest = { ...newest, ...counts, limits };
      const waitMs = toldAt + everyMs - monotonic();
      if (isPauseNews || waitMs <= 0) tell();
      else timer ??= setTimeout(tell, waitMs);
    },
    stop: () => clearTimeout(timer),
  };
}
