import type { ActivityQueue } from "../../core/activity.ts";
import type { RunObserver } from "../../core/engine.ts";
import type { Monotonic } from "../../core/services.ts";

/** A worker that has not asked for so long is not on line. */
export const workerSilenceMs = 20_000;

/** What watching the workers of an activity takes. */
export interface WorkerWatchSetup {
  readonly queue: ActivityQueue;
  readonly activity: string;
  /** How a worker for the activity is started. */
  readonly command: string;
  readonly monotonic: Monotonic;
  /** Rows that no worker has taken. */
  waiting(): number;
  readonly observer: RunObserver;
}

/** Says when rows wait and no worker is on line, once, and when one is again. */
export interface WorkerWatch {
  /** Looks; called now and then. */
  look(): void;
}

/** Begins to watch. */
export function watchWorkers({
  queue,
  activity,
  command,
  monotonic,
  waiting,
  observer,
}: WorkerWatchSetup): WorkerWatch {
  let quietSince = monotonic();
  let isTold = false;
  return {
    look: () => {
      const now = monotonic();
      const online = queue.recentWorkers(activity, workerSilenceMs);
      if (online.length > 0) {
        quietSince = now;
        if (isTold) observer.onEvent?.({ type: "notice", message: `Workers are on line again: ${names(online)}` });
        isTold = false;
      } else if (!isTold && waiting() > 0 && now - quietSince >= workerSilenceMs) {
        isTold = true;
        observer.onEvent?.({
          type: "warning",
          message: `No worker asks for rows of ${activity}: the run waits`,
          hint: `Start one: ${command}`,
        });
      }
    },
  };
}

function names(online: readonly string[]): string {
  const shown = online.slice(0, 5);
  return [...shown, ...(online.length > shown.length ? ["…"] : [])].join(", ");
}
