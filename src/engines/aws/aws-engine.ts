import { randomUUID } from "node:crypto";
import { setTimeout as waitFor } from "node:timers/promises";
import type { StepFunctions } from "../../aws/step-functions.ts";
import { maskAddress, type Delivery } from "../../core/channel.ts";
import type { DeletedRun, Engine, RerunChoice, RunLimits, RunObserver, StartRequest } from "../../core/engine.ts";
import { RowcallError } from "../../core/errors.ts";
import { stoppedOnRequest, type Run } from "../../core/run.ts";
import type { Services } from "../../core/services.ts";
import { joinUri } from "../../core/uri.ts";
import { composeNotification, owedNews, sendNotification } from "../../runs/compose-notification.ts";
import { writeOutput } from "../../runs/finish.ts";
import { createRunId, requireRunnable, type RunnableRequest } from "../../runs/new-run.ts";
import { digestObject } from "../../runs/output-uri.ts";
import { checkLimits, limitsOf } from "../../runs/run-limits.ts";
import { openAwsRuns, readAwsRuns, readFailures, type AwsRuns } from "./aws-runs.ts";
import { deleteRun, requireUnused } from "./delete-runs.ts";
import type { RunChoice } from "./execution-input.ts";
import {
  executionArn,
  readRun,
  requireExecutionName,
  requirePrepared,
  requireRows,
  runPreparing,
  type FoundRun,
} from "./found-run.ts";
import { writeAttempts } from "./gather-attempts.ts";
import { readJsonIfThere, runFiles, writeJson, type NextRun } from "./run-folder.ts";
import { checkBatch, isSameInput, packBatch, upload, type BatchInput, type PackedBatch } from "./send-batch.ts";
import { readLimits, toleratedRows, type PreparedRun } from "./staged-run.ts";
import { createPace, watchExecution, type Wait } from "./watch-execution.ts";

/** What an engine on AWS stands on. */
export interface AwsEngineOptions {
  readonly services: Services;
  /** The batch processor's state machine; closed with the engine. */
  readonly sfn: StepFunctions;
  /** Prefix of all runs, as the functions have it: `s3://bucket/runs/`. */
  readonly runsUri: string;
  /** Folder in which this machine remembers where outputs are to be put on it. */
  readonly dataDirectory: string;
  /** @default the time of this machine */
  readonly wait?: Wait;
}

/** The engine's parts: its runs, and the pace at which it looks at them. */
interface There extends AwsRuns {
  pace(signal?: AbortSignal): Promise<void>;
}

// AWS answers one look at a map run a second, for the whole account.
const paceMs = 2000;

/**
 * Opens the engine that runs batches in a batch processor on AWS; nothing is called yet.
 *
 * @throws RowcallError USAGE_INVALID when runs are not kept in S3
 */
export function openAwsEngine({ services, sfn, runsUri, dataDirectory, wait = realWait }: AwsEngineOptions): Engine {
  const runs = openAwsRuns(services, { store: services.store, sfn, runsUri }, dataDirectory);
  const there: There = { ...runs, pace: createPace(paceMs, services.monotonic, wait) };
  return {
    ...readAwsRuns(runs),
    start: (request, observer = {}) => startRun(there, request, observer),
    resume: (id, observer = {}) => resumeRun(there, id, observer),
    rerun: (id, choice = {}, observer = {}) => rerunRun(there, id, choice, observer),
    // At once: rows in flight are cut off.
    stop: async (id) => {
      const { execution } = await runs.find(id);
      if (execution.status === "RUNNING") await sfn.stop(execution.arn, "Stopped", stoppedOnRequest);
      return runs.describe(await runs.find(execution.arn));
    },
    adjust: (id, change) => adjustRun(runs, id, change),
    export: async (id, request) => writeOutput(services, await runs.open(await runs.find(id)), request),
    notify: (id, { all = false } = {}) => notifyFromHere(runs, id, all),
    delete: (ids) => deleteRuns(runs, ids),
    close: async () => {
      await runs.letGo();
      sfn.close();
    },
  };
}

async function startRun(there: There, asked: StartRequest, observer: RunObserver): Promise<Run> {
  const { services, sfn, store, root } = there;
  const request = { ...asked, batch: requireRunnable(asked.batch) };
  const given = request.name ?? request.batch.name;
  if (given !== undefined) {
    const before = await sfn.describe(executionArn(sfn, requireExecutionName(given)));
    if (before !== undefined) return startAgain(there, before.arn, given, request, observer);
  }
  const name = given ?? createRunId(services);
  await checkBatch(services, request, name);
  const begun = await begin(there, name, await packBatch(store, root, name, request), request.force === true);
  if (begun !== undefined) return watch(there, begun, observer);
  // Somebody was faster; a name that nobody chose is made anew.
  if (given === undefined) return startRun(there, asked, observer);
  return startAgain(there, executionArn(sfn, given), given, request, observer);
}

async function startAgain(
  there: There,
  arn: string,
  name: string,
  request: RunnableRequest,
  observer: RunObserver,
): Promise<Run> {
  const { sfn, store, runsUri, root, copies } = there;
  const execution = await sfn.describe(arn);
  const found = execution && (await readRun(store, runsUri, execution));
  const { input, localOutput } = await packBatch(store, root, name, request);
  const before = JSON.parse(execution?.input ?? "{}") as BatchInput;
  if (
    found !== undefined &&
    "rowcall" in before &&
    isSameInput(input, before) &&
    (await isSameTable(there, found, input))
  ) {
    if (localOutput !== undefined && (await copies.find(found.id)) === undefined)
      await copies.note(found.id, { output: localOutput, force: request.force === true });
    return resumeRun(there, arn, observer);
  }
  throw new RowcallError("RUN_CONFLICT", `The name "${name}" belongs to an execution that has another batch or input`, {
    hint: `Choose another --name, or go on with the earlier run: rowcall resume ${name}`,
  });
}

// A table from this machine has its digest in its address. One in S3 may have been replaced since.
async function isSameTable(
  { root, store }: AwsRuns,
  { prepared }: FoundRun,
  { input_csv_s3_uri: uri }: BatchInput,
): Promise<boolean> {
  if (prepared === undefined || uri.startsWith(joinUri(root, "uploads", ""))) return true;
  return (await digestObject(store, uri)).sha256 === prepared.run.staged.sha256;
}

/** Starts an execution; undefined when its name is taken. */
async function begin(
  { sfn, store, runsUri, copies }: AwsRuns,
  name: string,
  { input, uploads, localOutput }: PackedBatch,
  force: boolean,
): Promise<string | undefined> {
  await upload(store, uploads);
  const begun = await sfn.start(name, JSON.stringify(input));
  if (begun !== undefined && localOutput !== undefined) {
    const { id } = await readRun(store, runsUri, { ...begun, name, status: "RUNNING" });
    await copies.note(id, { output: localOutput, force });
  }
  return begun?.arn;
}

async function watch(there: There, arn: string, observer: RunObserver): Promise<Run> {
  const found = await watchExecution(there, arn, observer);
  for (const warning of found.summary?.warnings ?? []) observer.onEvent?.({ type: "warning", ...warning });
  return there.bring(found);
}

async function resumeRun(there: There, id: string, observer: RunObserver): Promise<Run> {
  const { sfn, store } = there;
  const found = await latest(there, await there.find(id));
  const { execution, prepared, summary } = found;
  if (execution.status === "RUNNING") return watch(there, execution.arn, observer);
  requirePrepared(found);
  if (execution.status === "SUCCEEDED" || summary?.run.status === "succeeded" || prepared === undefined)
    return there.bring(found);
  // A failed execution ended in its last state, which another try would end in again.
  const wasCutOff = summary === undefined && execution.status !== "FAILED";
  if (wasCutOff && (await readLimits(store, found)) === undefined) {
    if (await sfn.redrive(execution.arn)) return watch(there, execution.arn, observer);
  }
  return goOn(there, found, prepared, { id: found.id, again: "pending" }, observer);
}

async function rerunRun(there: There, id: string, choice: RerunChoice, observer: RunObserver): Promise<Run> {
  const found = requirePrepared(await latest(there, await there.find(id)));
  const { prepared, execution } = found;
  if (execution.status === "RUNNING") throw busy(found.id);
  if (prepared === undefined) return there.describe(found);
  const { journal, run } = await there.open(found);
  if (!journal.hasFailed(run.seq, choice)) return there.describe(found);
  return goOn(there, found, prepared, { id: found.id, again: "failed", ...choice }, observer);
}

/** The run that went on last with a run; itself when none has. */
async function latest(there: There, found: FoundRun): Promise<FoundRun> {
  const { sfn, store, runsUri } = there;
  const next = (await readJsonIfThere(store, joinUri(found.uri, runFiles.next))) as NextRun | undefined;
  const execution = next && (await sfn.describe(executionArn(sfn, next.id)));
  return execution === undefined ? found : latest(there, await readRun(store, runsUri, execution));
}

/** A new execution that takes over what an earlier run has decided. */
async function goOn(
  there: There,
  found: FoundRun,
  { run }: PreparedRun,
  earlier: NonNullable<RunChoice["earlier"]>,
  observer: RunObserver,
): Promise<Run> {
  const { services, store, root, copies } = there;
  if (found.summary === undefined) await writeAttempts(store, await there.open(found), found);
  const limits = await readLimits(store, found);
  const { output } = (await copies.find(found.id)) ?? run.batch;
  const batch = { ...run.batch, execution: { ...run.batch.execution, ...limits }, output };
  for (;;) {
    const name = createRunId(services);
    // The same table, written anew.
    const packed = await packBatch(store, root, name, { batch, ...run.request, force: true }, earlier);
    // Noted before it begins: one that never does is passed over.
    await writeJson(store, joinUri(found.uri, runFiles.next), { id: name } satisfies NextRun);
    const arn = await begin(there, name, packed, true);
    if (arn === undefined) continue;
    observer.onEvent?.({ type: "notice", message: `Run ${name} goes on with run ${found.id}` });
    return watch(there, arn, observer);
  }
}

async function adjustRun(runs: AwsRuns, id: string, change: Partial<RunLimits>): Promise<RunLimits> {
  checkLimits(change);
  if (change.paused !== undefined) {
    throw new RowcallError("USAGE_INVALID", "A run on AWS cannot be paused", {
      hint: "Stop it with `rowcall stop`; `rowcall resume` goes on with the rows it has not decided.",
    });
  }
  const { store, sfn } = runs;
  const found = await runs.find(id);
  const { run, counts } = requireRows(found);
  const changed = { ...(await readLimits(store, found)), ...change };
  const limits = limitsOf({ batch: run.batch, limits: changed });
  const isRunning = found.execution.status === "RUNNING";
  const mapRun = isRunning ? (await sfn.mapRuns(found.execution.arn)).at(-1) : undefined;
  if (isRunning && mapRun === undefined) throw runPreparing(found.id);
  // Noted before it holds, so that Finish can say which limit a run went beyond.
  await writeJson(store, joinUri(found.uri, runFiles.limits), changed);
  if (mapRun !== undefined) {
    const toleratedFailureCount = toleratedRows(limits, run.total, counts);
    await sfn.updateMapRun(mapRun, { maxConcurrency: change.maxConcurrency, toleratedFailureCount });
  }
  return limits;
}

/** Sends from this machine. What arrived on AWS is known to nobody here, so that only all of it can be asked for. */
async function notifyFromHere(runs: AwsRuns, id: string, all: boolean): Promise<readonly Delivery[]> {
  const found = await runs.find(id);
  if (found.execution.status === "RUNNING") throw busy(found.id);
  const { notifications } = requireRows(found).run.batch;
  const run = await runs.describe(found);
  const kind = owedNews(run.status, notifications);
  if (kind === undefined) return [];
  if (!all) {
    throw new RowcallError("USAGE_INVALID", `Which notifications of run ${run.id} have arrived is not known here`, {
      hint: `Send all of them again: \`rowcall notify ${run.id} --all\`.`,
    });
  }
  const failures = await readFailures(runs, found);
  return Promise.all(
    notifications.channels.map(async (address): Promise<Delivery> => {
      const notification = composeNotification(randomUUID(), kind, run, failures);
      const triedAt = runs.services.clock();
      const error = await sendNotification(runs.services, address, notification);
      const delivery = { id: notification.id, channel: maskAddress(address), kind, tries: 1, triedAt };
      return error === undefined ? { ...delivery, status: "delivered" } : { ...delivery, status: "failed", error };
    }),
  );
}

async function deleteRuns(runs: AwsRuns, ids: readonly string[]): Promise<readonly DeletedRun[]> {
  const named = await Promise.all(ids.map((id) => runs.find(id)));
  const found = [...new Map(named.map((one) => [one.id, one])).values()];
  for (const { id, execution } of found) if (execution.status === "RUNNING") throw busy(id);
  await requireUnused(runs, found);
  const deleted: DeletedRun[] = [];
  for (const one of found) {
    await runs.letGo(one.id);
    deleted.push(await deleteRun(runs, one, found));
  }
  return deleted;
}

function busy(id: string): RowcallError {
  return new RowcallError("RUN_BUSY", `Run ${id} is going on AWS`, {
    hint: `Watch it with \`rowcall resume ${id}\`, or end it with \`rowcall stop ${id}\`.`,
  });
}

async function realWait(ms: number, signal?: AbortSignal): Promise<void> {
  await waitFor(ms, undefined, signal && { signal });
}
