import type { Run } from "../core/run.ts";

/** A run with what can be told from its counts. */
export interface RunView extends Run {
  /** Succeeded of the final rows, 0 to 1; absent while none is final. */
  readonly successRate?: number;
  /** Rows that become final in a second: lately where that was watched, else on average since the run was made. */
  readonly rowsPerSecond?: number;
  /** Absent unless rows are in flight at a rate that is known. */
  readonly secondsLeft?: number;
}

/**
 * Tells what follows from a run's counts.
 *
 * @param now - milliseconds since 1970, UTC
 * @param recentRate - rows a second lately, when that is known
 */
export function viewRun(run: Run, now: number, recentRate?: number): RunView {
  const { total, succeeded, failed } = run.counts;
  const done = succeeded + failed;
  // While nothing but waits is left, the rate of before tells nothing of what is to come.
  const isIdle = run.waiting !== undefined && run.counts.inFlight === 0;
  const isGoing = run.status === "running" && run.paused !== true && !isIdle;
  const seconds = ((run.endedAt ?? now) - run.createdAt) / 1000;
  const average = done > 0 && seconds > 0 ? done / seconds : undefined;
  const rate = run.status === "running" ? (recentRate ?? average) : average;
  return {
    ...run,
    successRate: done === 0 ? undefined : succeeded / done,
    rowsPerSecond: rate === undefined ? undefined : Number(rate.toPrecision(4)),
    secondsLeft: isGoing && rate !== undefined && rate > 0 ? Math.ceil((total - done) / rate) : undefined,
  };
}
