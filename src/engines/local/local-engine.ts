import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { AgentDefinition } from "../../core/agent.ts";
import type { Batch, Dispatch } from "../../core/batch.ts";
import type { Engine, ExportRequest, RerunChoice, RunObserver, StartRequest, WrittenTable } from "../../core/engine.ts";
import { RowcallError } from "../../core/errors.ts";
import type { Run } from "../../core/run.ts";
import type { Services } from "../../core/services.ts";
import { resolveAgent, type BatchAgent } from "../../attempt/resolve-agent.ts";
import { explainDatabaseError } from "../../runs/database-errors.ts";
import { deleteRuns, requireKept } from "../../runs/delete-runs.ts";
import { toDelivery } from "../../runs/delivery-log.ts";
import { explainTaken, requireFreeOutput } from "../../runs/finish.ts";
import type { RunRecord } from "../../runs/journal.ts";
import { createRunId, isSameRun, requireRunnable, stageRun, type RunnableRequest } from "../../runs/new-run.ts";
import { probeOutput, requireOutput } from "../../runs/output-uri.ts";
import { checkLimits, limitsOf } from "../../runs/run-limits.ts";
import { carryRun, notifySetup, writeRun } from "./carry-run.ts";
import { dispatchInProcess } from "./dispatch-in-process.ts";
import { dispatchToWorkers } from "./dispatch-to-workers.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { openLocalRuns, readLocalRuns, type LocalRuns } from "./local-runs.ts";
import { notifyChannels } from "./notify.ts";

/** What a local engine stands on. */
export interface LocalEngineOptions {
  readonly services: Services;
  /** Folder of the journal and of each run's copy of its input; made when it is not there. */
  readonly dataDirectory: string;
  /** Prefix of recordings when the batch names none. @default `recordings` in the data directory */
  readonly recordingsPrefix?: string;
  /** Where attempts are made when the batch does not say. @default "in_process" */
  readonly dispatch?: Dispatch;
  /** AWS region in the command that a run without workers names. @default "eu-west-1" */
  readonly region?: string | undefined;
}

/** The engine's parts: its runs, and how it is set up. */
interface Here extends LocalEngineOptions {
  readonly runs: LocalRuns;
}

/**
 * Opens the engine that runs batches in this process.
 *
 * @throws RowcallError STORE_DENIED when the data directory cannot be made; JOURNAL_UNREADABLE
 */
export function openLocalEngine(options: LocalEngineOptions): Engine {
  const { services, dataDirectory } = options;
  const runs = openLocalRuns(services, dataDirectory);
  const { journal, folders, limitsChanged } = runs;
  const here: Here = { ...options, runs };
  const tellChange = (): boolean => limitsChanged.dispatchEvent(new Event("change"));
  return {
    ...readLocalRuns(runs),
    start: (request, observer = {}) => startRun(here, request, observer),
    resume: (id, observer = {}) => resumeRun(here, id, observer),
    rerun: (id, choice = {}, observer = {}) => rerunRun(here, id, choice, observer),
    stop: async (id) => {
      const run = journal.getRun(id);
      if (runs.toRun(run).status === "running") journal.updateRun(run.id, { stopRequested: true });
      tellChange();
      return runs.toRun(journal.getRun(id));
    },
    adjust: async (id, change) => {
      checkLimits(change);
      const limits = limitsOf(journal.adjustRun(id, change));
      tellChange();
      return limits;
    },
    export: (id, request) => exportRun(runs, id, request),
    notify: (id, { all = false } = {}, observer = {}) =>
      runs.withLock(id, (record) => notifyChannels(notifySetup(runs, record, observer), all ? "all" : "unsent")),
    deliveries: async (id) => journal.deliveries.list(journal.getRun(id).seq).map(toDelivery),
    delete: async (ids) => {
      try {
        return await deleteRuns({ services, dataDirectory, journal, folders }, ids);
      } catch (error) {
        throw explainDatabaseError(error);
      }
    },
    close: async () => runs.close(),
  };
}

async function startRun(here: Here, asked: StartRequest, observer: RunObserver): Promise<Run> {
  const { services, runs } = here;
  const request = { ...asked, batch: withDispatch(requireRunnable(asked.batch), here.dispatch ?? "in_process") };
  const { batch, name = batch.name, force = false } = request;
  const earlier = name === undefined ? undefined : runs.journal.findRun(name);
  if (earlier !== undefined) return startAgain(here, earlier, request, observer);

  const agent = await resolveAgent(services, batch);
  await requireOutput(services.store, batch, services.clock(), force);
  await probeOutput(services.store, batch.output);
  if (batch.recording.prefix !== undefined) await probeOutput(services.store, batch.recording.prefix);
  const run = await withAgent(here, agent.definition, batch, async (dispatcher) => {
    await runs.folders.sweep((id) => runs.journal.findRun(id) !== undefined);
    const { id, lock } = await runs.folders.claim(() => createRunId(services));
    try {
      const staged = await stage(here, id, request, agent);
      return staged && (await carryRun({ runs, dispatcher, observer }, staged));
    } finally {
      lock.release();
    }
  });
  return run ?? startRun(here, asked, observer);
}

/** Goes on with the run that has the name, if it is the same. */
async function startAgain(
  here: Here,
  earlier: RunRecord,
  request: RunnableRequest,
  observer: RunObserver,
): Promise<Run> {
  if (await isSameRun(here.services, requireKept(earlier), request)) return resumeRun(here, earlier.id, observer);
  throw new RowcallError(
    "RUN_CONFLICT",
    `The name "${earlier.name}" belongs to run ${earlier.id}, which has another batch or input`,
    {
      hint: `Choose another --name, or go on with the earlier run: rowcall resume ${earlier.id}`,
    },
  );
}

/** Stages a run and notes it; undefined when somebody else took its name meanwhile. */
async function stage(
  { services, dataDirectory, recordingsPrefix = join(dataDirectory, "recordings"), runs }: Here,
  id: string,
  request: RunnableRequest,
  agent: BatchAgent,
): Promise<RunRecord | undefined> {
  const directory = runs.folders.path(id);
  const staged = await stageRun({ services, dataDirectory, recordingsPrefix, directory, id, request, agent });
  try {
    return runs.journal.createRun(staged);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    if (error instanceof RowcallError && error.code === "RUN_CONFLICT") return undefined;
    throw error;
  }
}

function resumeRun(here: Here, id: string, observer: RunObserver): Promise<Run> {
  const { runs } = here;
  return runs.withLock(id, async (run) => {
    if (run.status === "succeeded") return runs.toRun(run);
    await requireWritable(here, run);
    return withAgent(here, run.agent, adjusted(run), (dispatcher) =>
      carryRun({ runs, dispatcher, observer, isAfterCrash: diedUnasked(run) }, run),
    );
  });
}

function rerunRun(here: Here, id: string, choice: RerunChoice, observer: RunObserver): Promise<Run> {
  const { runs } = here;
  return runs.withLock(id, async (run) => {
    requireEnded(run);
    await requireWritable(here, run);
    if (!runs.journal.hasFailed(run.seq, choice)) return runs.toRun(run);
    return withAgent(here, run.agent, adjusted(run), async (dispatcher) => {
      runs.journal.reopenFailed(run.seq, choice);
      return carryRun({ runs, dispatcher, observer }, runs.journal.getRun(run.id));
    });
  });
}

/** Makes sure, before rows are spent, that a run's output can be written when they have been. */
async function requireWritable({ services, runs }: Here, run: RunRecord): Promise<void> {
  await (await runs.open(run, { verified: true, mend: true })).close();
  await explainTaken(run.id, requireFreeOutput(services, run));
}

async function exportRun(runs: LocalRuns, id: string, request: ExportRequest): Promise<WrittenTable> {
  const run = runs.journal.getRun(id);
  try {
    return await writeRun(runs, run, request, { mend: false });
  } catch (error) {
    if (!(error instanceof RowcallError) || error.code !== "RUN_DAMAGED") throw error;
    return await runs.withLock(id, () => writeRun(runs, run, request, { mend: true }));
  }
}

// Opened before a run is noted or reopened: an agent that cannot be opened leaves nothing behind.
async function withAgent<T>(
  { services, runs, region }: Here,
  agent: AgentDefinition,
  batch: Batch,
  work: (dispatcher: Dispatcher) => Promise<T>,
): Promise<T> {
  const dispatcher =
    batch.execution.dispatch === "activity"
      ? await dispatchToWorkers(services, runs.queue(), agent, batch, region)
      : await dispatchInProcess(services, agent, batch);
  try {
    return await work(dispatcher);
  } finally {
    await dispatcher.close();
  }
}

function requireEnded({ id, status, total, succeeded, failed }: RunRecord): void {
  // Who holds the lock of a running run finds it left by a process that ended.
  if (status !== "running" && status !== "interrupted") return;
  throw new RowcallError("RUN_CONFLICT", `Run ${id} is interrupted: ${total - succeeded - failed} rows are pending`, {
    hint: `Go on with it first: rowcall resume ${id}`,
  });
}

/** The batch, saying where its attempts are made: a resumed run keeps to it, however its engine is set up. */
function withDispatch<T extends Batch>(batch: T, dispatch: Dispatch): T {
  return { ...batch, execution: { ...batch.execution, dispatch: batch.execution.dispatch ?? dispatch } };
}

/** The run's batch with the limits that hold now, for opening its agent. */
function adjusted(run: RunRecord): Batch {
  return { ...run.batch, execution: { ...run.batch.execution, ...run.limits } };
}

/** Whether a run that is held by nobody was left by a process that nobody had asked to end. */
function diedUnasked({ status, reason, stopRequested }: RunRecord): boolean {
  return status === "running" && reason === null && !stopRequested;
}
