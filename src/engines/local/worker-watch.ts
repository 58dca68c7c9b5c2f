import type { ActivityQueue } from "../../core/activity.ts";
import type { RunObserver } from "../../core/engine.ts";
import type { Monotonic } from "../../core/services.ts";

/** A worker that has not asked for so long is not on line. */
export const workerSilenceMs = 20_000;

/** What watching the workers of an activity takes. */
export interface WorkerWatchSetup {
  readonly queue: ActivityQueue;
  readonly activity: string;
  /** AWS region in the command that starts a worker. */
  readonly region: string | undefined;
  readonly monotonic: Monotonic;
  /** Rows that no worker has taken. */
  waiting(): number;
  readonly observer: RunObserver;
}

/**
 * Watches the workers of an activity.
 *
 * @returns to be called now and then: says when rows wait and no worker is on line, once, and when one is again
 */
export function watchWorkers(setup: WorkerWatchSetup): () => void {
  const { queue, activity, region, monotonic, waiting, observer } = setup;
  let quietSince = monotonic();
  let isTold = false;
  return () => {
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
        hint: `Start one: ${workerCommand(activity, region)}`,
      });
    }
  };
}

function names(online: readonly string[]): string {
  const shown = online.slice(0, 5);
  return [...shown, ...(online.length > shown.length ? ["…"] : [])].join(", ");
}

// With region and account that `rowcall serve` has when nothing else is said.
function workerCommand(activity: string, region = "eu-west-1"): string {
  const arn = `arn:aws:states:${region}:123456789012:activity:${activity}`;
  return `rowcall worker --activity-arn ${arn} --endpoint-url URL (rowcall serve --aws-endpoint, on this data directory, prints URL and ARN)`;
}
