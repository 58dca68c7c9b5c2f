import { randomUUID } from "node:crypto";
import type { JsonValue } from "../../src/core/json.ts";
import { record } from "./branch.ts";
import type { MapState } from "./definition.ts";
import { batchItems } from "./item-batcher.ts";
import { readItems } from "./item-reader.ts";
import { childStatus, type MapChild, type MapRun } from "./map-run.ts";
import { withinLimit } from "./payload.ts";
import { collectResults, openResultWriter } from "./result-writer.ts";
import { recordMapSucceeded, selectItem } from "./map-items.ts";
import { failureDetails, StateFailure } from "./state-failure.ts";
import { exceeds } from "./tolerance.ts";
import { evaluateNumberIn, type Visit } from "./visit.ts";

// What AWS runs at a time when the machine sets no limit.
const mostChildren = 10_000;

/**
 * Runs items as executions of their own.
 *
 * @param items - undefined: those of the `ItemReader`
 * @param concurrency - 0: as many as AWS allows
 */
export async function runDistributedMap(
  visit: Visit<MapState>,
  items: readonly JsonValue[] | undefined,
  concurrency: number,
): Promise<JsonValue> {
  const { run, state, branch } = visit;
  const { world } = run;
  const tolerance = {
    count: await evaluateNumberIn(visit, state.ToleratedFailureCount, "ToleratedFailureCount", {}),
    percentage: await evaluateNumberIn(visit, state.ToleratedFailurePercentage, "ToleratedFailurePercentage", {
      type: "number",
      most: 100,
    }),
  };
  const writer = await openResultWriter(visit);
  const earlier = findEarlier(visit);
  const mapRun = earlier ?? createMapRun(visit, concurrency, tolerance);
  world.mapRuns.set(mapRun.arn, mapRun);
  const started =
    earlier === undefined
      ? record(run, branch, "MapRunStarted", { mapRunArn: mapRun.arn })
      : record(run, branch, "MapRunRedriven", { mapRunArn: mapRun.arn, redriveCount: run.execution.redriveCount });
  const end = (status: MapRun["status"]): void => {
    Object.assign(mapRun, { status, stoppedAt: new Date(world.clock()) });
  };
  try {
    if (earlier === undefined) mapRun.children = await planChildren(visit, items ?? (await readItems(visit)));
    else reopen(earlier);
    const tooMany = await runChildren(visit, mapRun);
    const result = writer === undefined ? collectResults(mapRun) : await writer.write(mapRun);
    mapRun.resultsWritten = true;
    if (tooMany)
      throw new StateFailure(
        "States.ExceedToleratedFailureThreshold",
        "The specified tolerated failure threshold was exceeded",
      );
    end("SUCCEEDED");
    const succeeded = record(run, branch, "MapRunSucceeded");
    recordMapSucceeded(visit, succeeded);
    // As AWS has it: what comes after follows the start of the Map Run.
    branch.previous = started;
    return result;
  } catch (error) {
    if (branch.signal.aborted || !(error instanceof StateFailure)) {
      end("ABORTED");
      throw error;
    }
    end("FAILED");
    record(run, branch, "MapRunFailed", { ...failureDetails(error) });
    throw error;
  }
}

function createMapRun(visit: Visit<MapState>, maxConcurrency: number, tolerance: MapRun["tolerance"]): MapRun {
  const { world, execution } = visit.run;
  const label = visit.state.Label ?? randomUUID().replaceAll("-", "");
  const { machineArn, machineName } = execution.plan;
  return {
    arn: `arn:${world.partition}:states:${world.region}:${world.account}:mapRun:${machineName}/${label}:${randomUUID()}`,
    executionArn: execution.arn,
    machineArn: `${machineArn}/${label}`,
    startedAt: new Date(world.clock()),
    maxConcurrency,
    tolerance,
    children: [],
    status: "RUNNING",
    resultsWritten: false,
  };
}

async function planChildren(visit: Visit<MapState>, items: readonly JsonValue[]): Promise<readonly MapChild[]> {
  const selected: JsonValue[] = [];
  for (const [index, item] of items.entries()) selected.push(await selectItem(visit, item, index));
  if (visit.state.ItemBatcher !== undefined) return batchItems(visit, visit.state.ItemBatcher, selected);
  return selected.map((input) => ({ input, items: 1 }));
}

/** @returns whether more failed than is tolerated; those that still ran have been stopped then */
async function runChildren(
  { run: { world, execution }, branch, state }: Visit<MapState>,
  mapRun: MapRun,
): Promise<boolean> {
  const { children } = mapRun;
  const total = children.reduce((sum, { items }) => sum + items, 0);
  const done = Promise.withResolvers<void>();
  let running = 0;
  let next = 0;
  let failed = 0;
  let tooMany = false;
  let over = false;
  const stop = (): void => {
    over = true;
    stopChildren(mapRun);
  };
  const heedTolerance = (): void => {
    if (over || !exceeds(mapRun.tolerance, failed, total)) return;
    tooMany = true;
    stop();
  };
  const runChild = async (child: MapChild): Promise<void> => {
    const redriveCount = child.execution === undefined ? 0 : child.execution.redriveCount + 1;
    child.execution = world.begin({
      machineArn: mapRun.machineArn,
      machineName: mapRun.machineArn.split(":").at(-1) ?? "",
      roleArn: execution.plan.roleArn,
      sequence: state.ItemProcessor,
      input: withinLimit(child.input, "ItemSelector"),
      mapRunArn: mapRun.arn,
      redriveCount,
    });
    await child.execution.finished;
    if (over || childStatus(child) === "SUCCEEDED") return;
    failed += child.items;
    heedTolerance();
  };
  // Fills what places there are; called again whenever one becomes free or limits change.
  const fill = (): void => {
    const most = mapRun.maxConcurrency === 0 ? mostChildren : mapRun.maxConcurrency;
    while (!over && running < most) {
      const child = children[next];
      if (child === undefined) break;
      next += 1;
      if (childStatus(child) === "SUCCEEDED") continue;
      running += 1;
      runChild(child)
        .catch(done.reject)
        .finally(() => {
          running -= 1;
          fill();
        });
    }
    if (running === 0) done.resolve();
  };
  mapRun.heed = () => {
    heedTolerance();
    fill();
  };
  branch.signal.addEventListener("abort", stop, { once: true });
  try {
    fill();
    await done.promise;
  } catch (error) {
    stop();
    throw error;
  } finally {
    delete mapRun.heed;
    branch.signal.removeEventListener("abort", stop);
  }
  branch.signal.throwIfAborted();
  return tooMany;
}

// A Map Run that was ended before its time is gone on with when its execution is.
function findEarlier({ run: { world, execution }, state }: Visit<MapState>): MapRun | undefined {
  if (execution.redriveCount === 0) return undefined;
  return [...world.mapRuns.values()].findLast(
    ({ executionArn, machineArn, status, resultsWritten }) =>
      executionArn === execution.arn &&
      machineArn.endsWith(`/${state.Label}`) &&
      status !== "SUCCEEDED" &&
      !resultsWritten,
  );
}

function reopen(mapRun: MapRun): void {
  mapRun.status = "RUNNING";
  delete mapRun.stoppedAt;
}

function stopChildren({ children }: MapRun): void {
  for (const { execution } of children) execution?.stop();
}
