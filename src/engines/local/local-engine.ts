import { setMaxListeners } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { ActivityQueue } from "../../core/activity.ts";
import type { AgentDefinition } from "../../core/agent.ts";
import type { Batch, Dispatch } from "../../core/batch.ts";
import type { Delivery } from "../../core/channel.ts";
import type {
  DeletedRun,
  Engine,
  ExportRequest,
  RerunChoice,
  RowFilter,
  RowPage,
  RowQuery,
  RowReport,
  RowSelection,
  RunLimits,
  RunObserver,
  RunQuery,
  RunSurvey,
  StartRequest,
  WrittenTable,
} from "../../core/engine.ts";
import { explainDatabaseError } from "../../runs/database-errors.ts";
import { messageOf, RowcallError } from "../../core/errors.ts";
import type { Run, RunStatus } from "../../core/run.ts";
import type { Services } from "../../core/services.ts";
import { chooseRows, overlap, inputKeys, createRunId, isSameRun, requirePlaces, stageRun } from "../../runs/new-run.ts";
import { makeDataDirectory } from "../../runs/data-directory.ts";
import { probeOutput, requireOutput, type OutputMemory } from "../../runs/output-uri.ts";
import { resolveAgent, type BatchAgent } from "../../attempt/resolve-agent.ts";
import { activitiesPath, openActivityQueue } from "../../runs/activity-queue.ts";
import { toDelivery } from "../../runs/delivery-log.ts";
import { deleteRuns, requireKept } from "../../runs/delete-runs.ts";
import { dispatchInProcess } from "./dispatch-in-process.ts";
import { dispatchToWorkers, workerSilenceMs } from "./dispatch-to-workers.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { executeRows, type Ending } from "./execute.ts";
import { explainTaken, outputRequest, requireFreeOutput, writeOutput } from "../../runs/finish.ts";
import { Journal, type RunRecord } from "../../runs/journal.ts";
import { notifyChannels, tellChannels, type NotifySetup } from "./notify.ts";
import { readPage, reportRows, surveyRun } from "../../runs/read-page.ts";
import { checkLimits, limitsOf, toRun } from "../../runs/run-limits.ts";
import { openRunFolders, type RunFolders, openRunTable, type TableAccess } from "../../runs/run-folders.ts";
import type { OpenTable } from "../../table/staging.ts";
import { tellProgress } from "./tell-progress.ts";

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

/**
 * Opens the engine that runs batches in this process.
 *
 * @throws RowcallError STORE_DENIED when the data directory cannot be made; JOURNAL_UNREADABLE
 */
export function openLocalEngine(options: LocalEngineOptions): Engine {
  makeDataDirectory(options.dataDirectory);
  return new LocalEngine(options, new Journal(join(options.dataDirectory, "journal.db")));
}

class LocalEngine implements Engine {
  readonly #services: Services;
  readonly #dataDirectory: string;
  readonly #recordingsPrefix: string;
  readonly #dispatch: Dispatch;
  readonly #region: string | undefined;
  readonly #journal: Journal;
  readonly #folders: RunFolders;
  readonly #limitsChanged = new EventTarget();
  #openedQueue: ActivityQueue | undefined;

  constructor(options: LocalEngineOptions, journal: Journal) {
    const { services, dataDirectory, recordingsPrefix, dispatch = "in_process", region } = options;
    this.#services = services;
    this.#dataDirectory = dataDirectory;
    this.#recordingsPrefix = recordingsPrefix ?? join(dataDirectory, "recordings");
    this.#dispatch = dispatch;
    this.#region = region;
    this.#journal = journal;
    this.#folders = openRunFolders(dataDirectory);
    // Every run of this process listens.
    setMaxListeners(0, this.#limitsChanged);
  }

  async start(asked: StartRequest, observer: RunObserver = {}): Promise<Run> {
    const request = { ...asked, batch: withDispatch(asked.batch, this.#dispatch) };
    const name = request.name ?? request.batch.name;
    const earlier = name === undefined ? undefined : this.#journal.findRun(name);
    if (earlier !== undefined) return this.#startAgain(earlier, request, observer);

    const services = this.#services;
    const places = requirePlaces(request);
    const agent = await resolveAgent(services, request.batch);
    await requireOutput(services.store, places, services.clock(), request.force === true);
    await probeOutput(services.store, places.output);
    const { prefix } = request.batch.recording;
    if (prefix !== undefined) await probeOutput(services.store, prefix);
    const run = await this.#withAgent(agent.definition, request.batch, (dispatcher) =>
      this.#begin(request, agent, dispatcher, observer),
    );
    return run ?? this.start(asked, observer);
  }

  async resume(id: string, observer: RunObserver = {}): Promise<Run> {
    return this.#withLock(id, async (run) => {
      if (run.status === "succeeded") return this.#toRun(run);
      await this.#requireTable(run);
      await this.#requireFreeOutput(run);
      return this.#withAgent(run.agent, adjusted(run), (dispatcher) =>
        this.#execute(run, dispatcher, observer, diedUnasked(run)),
      );
    });
  }

  async rerun(id: string, choice: RerunChoice = {}, observer: RunObserver = {}): Promise<Run> {
    return this.#withLock(id, async (run) => {
      requireEnded(run);
      await this.#requireTable(run);
      await this.#requireFreeOutput(run);
      return this.#withAgent(run.agent, adjusted(run), async (dispatcher) => {
        if (this.#journal.reopenFailed(run.seq, choice) === 0) return this.#toRun(run);
        return this.#execute(this.#journal.getRun(run.id), dispatcher, observer);
      });
    });
  }

  async stop(id: string): Promise<Run> {
    const run = this.#journal.getRun(id);
    if (this.#toRun(run).status === "running") this.#journal.updateRun(run.id, { stopRequested: true });
    this.#limitsChanged.dispatchEvent(new Event("change"));
    return this.describe(id);
  }

  async describe(id: string): Promise<Run> {
    return this.#toRun(this.#journal.getRun(id));
  }

  async limits(id: string): Promise<RunLimits> {
    return limitsOf(this.#journal.getRun(id));
  }

  async adjust(id: string, change: Partial<RunLimits>): Promise<RunLimits> {
    checkLimits(change);
    const limits = limitsOf(this.#journal.adjustRun(id, change));
    this.#limitsChanged.dispatchEvent(new Event("change"));
    return limits;
  }

  async list(query: RunQuery = {}): Promise<readonly Run[]> {
    const { limit = Number.POSITIVE_INFINITY, status } = query;
    const found: Run[] = [];
    for (const record of this.#journal.listRuns(query)) {
      if (found.length >= limit) break;
      const run = this.#toRun(record);
      if (status === undefined || run.status === status) found.push(run);
    }
    return found;
  }

  async *rows(id: string, filter: RowFilter = {}): AsyncGenerator<RowReport> {
    const run = this.#record(id);
    const table = await this.#openTable(run);
    try {
      yield* reportRows(this.#journal, run, table, overlap(selectionOf(run), filter.rows), filter);
    } finally {
      await table.close();
    }
  }

  async page(id: string, query: RowQuery): Promise<RowPage> {
    const run = this.#record(id);
    const table = await this.#openTable(run);
    try {
      return await readPage({ journal: this.#journal, run, table, selection: selectionOf(run) }, query);
    } finally {
      await table.close();
    }
  }

  async survey(id: string): Promise<RunSurvey> {
    const run = requireKept(this.#journal.getRun(id));
    // A damaged copy keeps nothing from being told but lines.
    const table = await this.#openTable(run).catch(() => undefined);
    try {
      return await surveyRun({ journal: this.#journal, run, table }, this.#services.clock());
    } finally {
      await table?.close();
    }
  }

  async batch(id: string): Promise<Batch> {
    return this.#journal.getRun(id).batch;
  }

  async export(id: string, request: ExportRequest): Promise<WrittenTable> {
    const run = this.#journal.getRun(id);
    const write = (mend: boolean): Promise<WrittenTable> => this.#write(run, request, { mend });
    try {
      return await write(false);
    } catch (error) {
      if (!(error instanceof RowcallError) || error.code !== "RUN_DAMAGED") throw error;
      return await this.#withLock(id, () => write(true));
    }
  }

  async notify(
    id: string,
    { all = false }: { readonly all?: boolean } = {},
    observer: RunObserver = {},
  ): Promise<readonly Delivery[]> {
    return this.#withLock(id, (record) => notifyChannels(this.#notifySetup(record, observer), all ? "all" : "unsent"));
  }

  async deliveries(id: string): Promise<readonly Delivery[]> {
    return this.#journal.deliveries.list(this.#journal.getRun(id).seq).map(toDelivery);
  }

  async delete(ids: readonly string[]): Promise<readonly DeletedRun[]> {
    const setup = { services: this.#services, dataDirectory: this.#dataDirectory };
    try {
      return await deleteRuns({ ...setup, journal: this.#journal, folders: this.#folders }, ids);
    } catch (error) {
      throw explainDatabaseError(error);
    }
  }

  async close(): Promise<void> {
    this.#openedQueue?.close();
    this.#journal.close();
  }

  async #startAgain(earlier: RunRecord, request: StartRequest, observer: RunObserver): Promise<Run> {
    if (await isSameRun(this.#services, requireKept(earlier), request)) return this.resume(earlier.id, observer);
    throw new RowcallError(
      "RUN_CONFLICT",
      `The name "${earlier.name}" belongs to run ${earlier.id}, which has another batch or input`,
      {
        hint: `Choose another --name, or go on with the earlier run: rowcall resume ${earlier.id}`,
      },
    );
  }

  /** Stages and executes a new run; undefined when somebody else took its name during the staging. */
  async #begin(
    request: StartRequest,
    agent: BatchAgent,
    dispatcher: Dispatcher,
    observer: RunObserver,
  ): Promise<Run | undefined> {
    await this.#folders.sweep((id) => this.#journal.findRun(id) !== undefined);
    const { id, lock } = await this.#folders.claim(() => createRunId(this.#services));
    try {
      const run = await this.#stage(id, request, agent);
      return run && (await this.#execute(run, dispatcher, observer));
    } finally {
      lock.release();
    }
  }

  /** Stages a run and notes it; undefined when its name is taken. */
  async #stage(id: string, request: StartRequest, agent: BatchAgent): Promise<RunRecord | undefined> {
    const places = { dataDirectory: this.#dataDirectory, recordingsPrefix: this.#recordingsPrefix };
    const directory = this.#folders.path(id);
    const staged = await stageRun({ ...places, services: this.#services, directory, id, request, agent });
    try {
      return this.#journal.createRun(staged);
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      if (error instanceof RowcallError && error.code === "RUN_CONFLICT") return undefined;
      throw error;
    }
  }

  // Opened before a run is noted or reopened: an agent that cannot be opened leaves nothing behind.
  async #withAgent<T>(agent: AgentDefinition, batch: Batch, work: (dispatcher: Dispatcher) => Promise<T>): Promise<T> {
    const dispatcher =
      batch.execution.dispatch === "activity"
        ? await dispatchToWorkers(this.#services, this.#queue(), agent, batch, this.#region)
        : await dispatchInProcess(this.#services, agent, batch);
    try {
      return await work(dispatcher);
    } finally {
      await dispatcher.close();
    }
  }

  #queue(): ActivityQueue {
    this.#openedQueue ??= openActivityQueue(activitiesPath(this.#dataDirectory), this.#services);
    return this.#openedQueue;
  }

  async #execute(before: RunRecord, dispatcher: Dispatcher, observer: RunObserver, isAfterCrash = false): Promise<Run> {
    observer.onEvent?.({ type: "started", run: this.#toRun(before) });
    if (!dispatcher.outlivesProcess) this.#journal.abandonAttempts(before.seq, isAfterCrash);
    this.#journal.waits.end(before.seq);
    this.#journal.recount(before.seq);
    const run = this.#journal.updateRun(before.id, {
      status: "running",
      stopRequested: false,
      reason: null,
      endedAt: null,
    });
    try {
      return await this.#conclude(run.id, await this.#runRows(run, dispatcher, observer, isAfterCrash), observer);
    } catch (error) {
      await this.#noteFailure(run.id, error, observer);
      throw explainDatabaseError(error);
    }
  }

  // What ended the run may keep the journal from being written too; then the run counts as interrupted.
  async #noteFailure(id: string, error: unknown, observer: RunObserver): Promise<void> {
    try {
      const endedAt = this.#services.clock();
      const record = this.#journal.updateRun(id, { status: "failed", reason: messageOf(error), endedAt });
      await tellChannels(this.#notifySetup(record, observer));
    } catch (second) {
      if (explainDatabaseError(second) === second) throw second;
    }
  }

  #notifySetup(record: RunRecord, observer: RunObserver): NotifySetup {
    const services = this.#services;
    return { services, journal: this.#journal, record, run: this.#toRun(record), warn: warnerOf(observer) };
  }

  async #runRows(
    run: RunRecord,
    dispatcher: Dispatcher,
    observer: RunObserver,
    isAfterCrash: boolean,
  ): Promise<Ending> {
    const table = await this.#openTable(run);
    const progress = tellProgress(run, (now) => this.#toRunning(now), this.#services, observer);
    try {
      const selection = selectionOf(run);
      if (run.batch.execution.dedupe) await this.#journal.noteDuplicates(run.seq, inputKeys({ run, table, selection }));
      return await executeRows({
        dispatcher,
        services: this.#services,
        journal: this.#journal,
        run,
        table,
        selection,
        observer,
        isAfterCrash,
        limitsChanged: this.#limitsChanged,
        onProgress: progress.update,
      });
    } finally {
      progress.stop();
      await table.close();
    }
  }

  async #conclude(id: string, ending: Ending, observer: RunObserver): Promise<Run> {
    const run = this.#journal.getRun(id);
    const endedAt = this.#services.clock();
    const reason = ending.reason ?? null;
    if (ending.status === "interrupted")
      return this.#toRun(this.#journal.updateRun(id, { status: "interrupted", reason, endedAt }));

    const memory: OutputMemory = {
      expected: run.writing,
      note: (writing) => void this.#journal.updateRun(id, { writing }),
    };
    const { uri: outputUri, warnings } = await explainTaken(
      run.id,
      this.#write(run, outputRequest(run), { mend: true, memory }),
    );
    for (const warning of warnings) observer.onEvent?.({ type: "warning", ...warning });
    const status = ending.status === "finished" ? "succeeded" : "stopped";
    const outputs = [
      ...new Set([...(run.outputs ?? []), ...(run.outputUri === null ? [] : [run.outputUri]), outputUri]),
    ];
    const record = this.#journal.updateRun(id, { status, reason, endedAt, outputUri, outputs });
    const ended = this.#toRun(record);
    observer.onEvent?.({ type: "progress", run: ended });
    await tellChannels(this.#notifySetup(record, observer));
    return ended;
  }

  #requireFreeOutput(run: RunRecord): Promise<void> {
    return explainTaken(run.id, requireFreeOutput(this.#services, run));
  }

  async #write(
    run: RunRecord,
    request: ExportRequest,
    { mend, memory }: { readonly mend: boolean; readonly memory?: OutputMemory },
  ): Promise<WrittenTable> {
    const table = await this.#openTable(run, { verified: true, mend });
    try {
      const source = { journal: this.#journal, run, table, selection: selectionOf(run) };
      return await writeOutput(this.#services, source, request, memory);
    } finally {
      await table.close();
    }
  }

  #openTable(run: RunRecord, how: Pick<TableAccess, "verified" | "mend"> = {}): Promise<OpenTable> {
    return openRunTable(requireKept(run), {
      store: this.#services.store,
      directory: this.#folders.path(run.id),
      ...how,
    });
  }

  /** Whole, before rows are spent: who calls holds the run's lock. */
  async #requireTable(run: RunRecord): Promise<void> {
    const table = await this.#openTable(run, { verified: true, mend: true });
    await table.close();
  }

  #toRun(run: RunRecord): Run {
    const status = this.#statusOf(run);
    return status === "running" ? this.#toRunning(run) : toRun(run, status, 0);
  }

  #toRunning(run: RunRecord): Run {
    const more = { workers: this.#workersOf(run), waiting: this.#journal.waits.current(run.seq) };
    return toRun(run, "running", run.inFlight, more);
  }

  // The lock ends with the process: a run whose lock is free is not going any more, whatever the journal says.
  #statusOf({ id, status }: RunRecord): RunStatus {
    return status === "running" && !this.#folders.isLocked(id) ? "interrupted" : status;
  }

  #record(id: string): RunRecord {
    const run = this.#journal.getRun(id);
    return { ...run, status: this.#statusOf(run) };
  }

  #workersOf({ batch, agent }: RunRecord): number | undefined {
    if (batch.execution.dispatch !== "activity") return undefined;
    return this.#queue().recentWorkers(agent.agent_name, workerSilenceMs).length;
  }

  async #withLock<T>(id: string, work: (run: RunRecord) => Promise<T>): Promise<T> {
    const { id: runId } = this.#journal.getRun(id);
    const lock = await this.#folders.lock(runId);
    try {
      return await work(requireKept(this.#journal.getRun(runId)));
    } catch (error) {
      throw explainDatabaseError(error);
    } finally {
      lock.release();
    }
  }
}

function requireEnded({ id, status, total, succeeded, failed }: RunRecord): void {
  // Who holds the lock of a running run finds it left by a process that ended.
  if (status !== "running" && status !== "interrupted") return;
  throw new RowcallError("RUN_CONFLICT", `Run ${id} is interrupted: ${total - succeeded - failed} rows are pending`, {
    hint: `Go on with it first: rowcall resume ${id}`,
  });
}

function warnerOf(observer: RunObserver): (message: string, hint: string) => void {
  return (message, hint) => observer.onEvent?.({ type: "warning", message, hint });
}

/** The batch, saying where its attempts are made: a resumed run keeps to it, however its engine is set up. */
function withDispatch(batch: Batch, dispatch: Dispatch): Batch {
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

function selectionOf(run: RunRecord): RowSelection {
  return chooseRows(run.staged.rows, run.request.rows, run.request.limit).selection;
}
