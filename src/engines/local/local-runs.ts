import { setMaxListeners } from "node:events";
import { join } from "node:path";
import type { ActivityQueue } from "../../core/activity.ts";
import type { RunReader } from "../../core/engine.ts";
import type { Run, RunStatus } from "../../core/run.ts";
import type { Services } from "../../core/services.ts";
import { activitiesPath, openActivityQueue } from "../../runs/activity-queue.ts";
import { makeDataDirectory } from "../../runs/data-directory.ts";
import { explainDatabaseError } from "../../runs/database-errors.ts";
import { requireKept } from "../../runs/delete-runs.ts";
import { Journal, type RunRecord } from "../../runs/journal.ts";
import { openRun, openRunTable, type OpenRun, type TableAccess } from "../../runs/open-run.ts";
import { readPage, reportRows } from "../../runs/read-page.ts";
import { openRunFolders, type RunFolders } from "../../runs/run-folders.ts";
import { limitsOf, toRun } from "../../runs/run-limits.ts";
import { failuresOf, surveyRun, type SurveySource } from "../../runs/survey-run.ts";
import { workerSilenceMs } from "./worker-watch.ts";

/** The runs of a data directory, for all that is done with them. */
export interface LocalRuns {
  readonly services: Services;
  readonly dataDirectory: string;
  readonly journal: Journal;
  readonly folders: RunFolders;
  /** Tells by `change` that this process has changed what is asked of a run. */
  readonly limitsChanged: EventTarget;
  /** The queues that workers ask; opened when they are first needed. */
  queue(): ActivityQueue;
  /** A run as others see it. */
  toRun(record: RunRecord): Run;
  /** The same of a run that goes on in this process. */
  toRunning(record: RunRecord): Run;
  open(record: RunRecord, how?: Pick<TableAccess, "verified" | "mend">): Promise<OpenRun>;
  /**
   * Does something with a run while nobody else can.
   *
   * @throws RowcallError RUN_BUSY when somebody runs it
   */
  withLock<T>(id: string, work: (record: RunRecord) => Promise<T>): Promise<T>;
  close(): void;
}

/**
 * Opens the runs of a data directory, which is made when it is not there.
 *
 * @throws RowcallError STORE_DENIED when the data directory cannot be made; JOURNAL_UNREADABLE
 */
export function openLocalRuns(services: Services, dataDirectory: string): LocalRuns {
  makeDataDirectory(dataDirectory);
  const journal = new Journal(join(dataDirectory, "journal.db"));
  const folders = openRunFolders(dataDirectory);
  const limitsChanged = new EventTarget();
  // Every run of this process listens.
  setMaxListeners(0, limitsChanged);
  let opened: ActivityQueue | undefined;
  const queue = (): ActivityQueue => (opened ??= openActivityQueue(activitiesPath(dataDirectory), services));
  const workersOf = ({ batch, agent }: RunRecord): number | undefined =>
    batch.execution.dispatch === "activity"
      ? queue().recentWorkers(agent.agent_name, workerSilenceMs).length
      : undefined;
  const toRunning = (record: RunRecord): Run => {
    const more = { workers: workersOf(record), waiting: journal.waits.current(record.seq) };
    return toRun(record, "running", record.inFlight, more);
  };
  return {
    services,
    dataDirectory,
    journal,
    folders,
    limitsChanged,
    queue,
    toRun: (record) => {
      const status = statusOf(folders, record);
      return status === "running" ? toRunning(record) : toRun(record, status, 0);
    },
    toRunning,
    open: async (record, how = {}) => {
      const access = { store: services.store, directory: folders.path(record.id), ...how };
      return openRun(journal, record, await openRunTable(requireKept(record), access));
    },
    withLock: async (id, work) => {
      const { id: runId } = journal.getRun(id);
      const lock = await folders.lock(runId);
      try {
        return await work(requireKept(journal.getRun(runId)));
      } catch (error) {
        throw explainDatabaseError(error);
      } finally {
        lock.release();
      }
    },
    close: () => {
      opened?.close();
      journal.close();
    },
  };
}

// The lock ends with the process: a run whose lock is free is not going any more, whatever the journal says.
function statusOf(folders: RunFolders, { id, status }: RunRecord): RunStatus {
  return status === "running" && !folders.isLocked(id) ? "interrupted" : status;
}

/** What can be read of the runs. */
export function readLocalRuns({ services, journal, folders, toRun, open }: LocalRuns): RunReader {
  const openById = async (id: string): Promise<OpenRun> => {
    const record = journal.getRun(id);
    return open({ ...record, status: statusOf(folders, record) });
  };
  const surveyed = async <T>(id: string, work: (source: SurveySource) => Promise<T>): Promise<T> => {
    const run = requireKept(journal.getRun(id));
    // A damaged copy keeps nothing from being told but lines.
    const opened = await open(run).catch(() => undefined);
    try {
      return await work(opened ?? { journal, run });
    } finally {
      await opened?.close();
    }
  };
  return {
    describe: async (id) => toRun(journal.getRun(id)),
    list: async ({ limit = Number.POSITIVE_INFINITY, ...query } = {}) => {
      const found: Run[] = [];
      for (const record of journal.listRuns(query)) {
        if (found.length >= limit) break;
        const run = toRun(record);
        if (query.status === undefined || run.status === query.status) found.push(run);
      }
      return found;
    },
    limits: async (id) => limitsOf(journal.getRun(id)),
    batch: async (id) => journal.getRun(id).batch,
    rows: async function* (id, filter = {}) {
      const run = await openById(id);
      try {
        yield* reportRows(run, filter);
      } finally {
        await run.close();
      }
    },
    page: async (id, query) => {
      const run = await openById(id);
      try {
        return await readPage(run, query);
      } finally {
        await run.close();
      }
    },
    survey: (id) => surveyed(id, (source) => surveyRun(source, services.clock())),
    failures: (id) => surveyed(id, failuresOf),
  };
}
