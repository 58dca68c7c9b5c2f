import type { Monotonic } from "../../core/services.ts";
import type { RunObserver } from "../../core/engine.ts";
import { RowcallError } from "../../core/errors.ts";
import type { Run } from "../../core/run.ts";
import type { DescribedMapRun, StepFunctions } from "../../aws/step-functions.ts";
import { readRun, requirePrepared, toRun, type FoundRun, type RunPlaces } from "./found-run.ts";

/** Waits; rejected when the signal is aborted. */
export type Wait = (ms: number, signal?: AbortSignal) => Promise<void>;

/**
 * Lets calls through one after the other, none sooner than so many milliseconds after the one before: what AWS counts, it counts for a
 * whole account.
 */
export function createPace(everyMs: number, monotonic: Monotonic, wait: Wait): (signal?: AbortSignal) => Promise<void> {
  let next = Number.NEGATIVE_INFINITY;
  return async (signal) => {
    const now = monotonic();
    const turn = Math.max(now, next);
    next = turn + everyMs;
    if (turn > now) await wait(turn - now, signal);
  };
}

// A minute of a network that is away, at the pace of looks.
const mostMisses = 30;

/** What watching takes. */
export interface WatchSetup extends RunPlaces {
  /** Waits until the next look is due; rejected when the signal is aborted. */
  pace(signal?: AbortSignal): Promise<void>;
}

/**
 * Watches an execution until it has ended, or the observer drains: then the run goes on without being watched.
 *
 * @throws RowcallError of what kept the run from being prepared
 */
export async function watchExecution(setup: WatchSetup, arn: string, observer: RunObserver): Promise<FoundRun> {
  const { drain } = observer;
  let told: Run | undefined;
  let last: Look | undefined;
  for (let misses = 0; ;) {
    try {
      await setup.pace(drain);
    } catch (error) {
      if (drain?.aborted !== true) throw error;
      if (last !== undefined) return last.found;
    }
    try {
      last = await look(setup, arn);
      misses = 0;
    } catch (error) {
      misses += 1;
      if (!(error instanceof RowcallError) || !error.retryable || misses > mostMisses) throw error;
      continue;
    }
    const { found, mapRun } = last;
    if (found.prepared !== undefined) told = tell(observer, toRun(found, mapRun), told);
    if (found.execution.status !== "RUNNING") return requirePrepared(found);
    if (drain?.aborted === true) return found;
  }
}

interface Look {
  readonly found: FoundRun;
  readonly mapRun?: DescribedMapRun;
}

async function look({ store, sfn, runsUri }: WatchSetup, arn: string): Promise<Look> {
  const execution = await sfn.describe(arn);
  if (execution === undefined) throw new RowcallError("RUN_NOT_FOUND", `There is no execution ${arn}`);
  const found = await readRun(store, runsUri, execution);
  const mapRun = await describeMap(sfn, found);
  return { found, mapRun };
}

/** How the map of a run stands; undefined when it has none yet, and when the run's summary says all of it. */
export async function describeMap(
  sfn: StepFunctions,
  { execution, prepared, summary }: FoundRun,
): Promise<DescribedMapRun | undefined> {
  if (prepared === undefined || summary !== undefined) return undefined;
  const arn = (await sfn.mapRuns(execution.arn)).at(-1);
  return arn === undefined ? undefined : sfn.describeMapRun(arn);
}

function tell({ onEvent }: RunObserver, run: Run, told: Run | undefined): Run {
  if (told === undefined) onEvent?.({ type: "started", run });
  if (JSON.stringify(told?.counts) !== JSON.stringify(run.counts)) onEvent?.({ type: "progress", run });
  return run;
}
