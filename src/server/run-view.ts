import type { Run } from "../core/run.ts";

/** A run with what can be told from its counts. */
export interface RunView extends Run {
  /** Succeeded of the decided rows, 0 to 1; absent while none is decided. */
  readonly successRate?: number;
  /** Rows decided in a second: lately where that was watched, else on average since the run was made. */
  readonly rowsPerSecond?: number;
  /** Absent unless the run is going at a rate that is known. */
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
  const decided = succeeded + failed;
  // While nothing but waits is left, the rate of before tells nothing of what is to come.
  const isIdle = run.waiting !== undefined && run.counts.inFlight === 0;
  const isGoing = run.status === "running" && run.paused !== true && !isIdle;
  const seconds = ((run.endedAt ?? now) - run.createdAt) / 1000;
  const average = decided > 0 && seconds > 0 ? decided / seconds : undefined;
  const rate = run.status === "running" ? (recentRate ?? average) : average;
  return {
    ...run,
    ...(decided === 0 ? {} : { successRate: succeeded / decided }),
    ...(rate === undefined ? {} : { rowsPerSecond: Number(rate.toPrecision(4)) }),
    ...(isGoing && rate !== undefined && rate > 0 ? { secondsLeft: Math.ceil((total - decided) / rate) } : {}),
  };
}
