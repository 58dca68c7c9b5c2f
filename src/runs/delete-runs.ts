import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import type { DeletedRun, KeptPlace } from "../core/engine.ts";
import { RowcallError } from "../core/errors.ts";
import type { Services } from "../core/services.ts";
import { baseName, schemeOf } from "../core/uri.ts";
import { hasRecordings } from "./recordings-uri.ts";
import { removePrefix } from "./remove-prefix.ts";
import { activitiesPath } from "./activity-queue.ts";
import type { EraseAnswer, EraseOrder } from "./erase-thread.ts";
import type { ErasedRun, ErasePlaces } from "./erase.ts";
import { executionsPath } from "./execution-journal.ts";
import type { Journal, RunRecord } from "./journal.ts";
import type { RunFolders } from "./run-folders.ts";
import { isLocked, openDatabase } from "./sqlite.ts";

/** What runs are deleted from. */
export interface DeleteSetup {
  readonly services: Pick<Services, "store" | "baseDirectory">;
  readonly dataDirectory: string;
  readonly journal: Journal;
  readonly folders: RunFolders;
}

// While runs are in flight, the journal is only written anew when that takes a moment: their commits wait for 15 seconds.
const smallBytes = 64 * 1024 * 1024;

/**
 * Deletes runs: each is marked, then its files go, then its records, then the bytes of those in the databases, and at last the
 * run itself. What a process that ended leaves is a marked run, of which nothing can be done but to delete it again.
 *
 * @throws RowcallError RUN_BUSY when one of them is in flight: then none is deleted
 */
export async function deleteRuns(setup: DeleteSetup, ids: readonly string[]): Promise<readonly DeletedRun[]> {
  const { journal, folders, dataDirectory } = setup;
  const runs = new Map(ids.map((id) => journal.getRun(id)).map((run) => [run.id, run]));
  for (const { id } of runs.values()) {
    requireNoExecution(dataDirectory, id);
    (await folders.lock(id)).release();
  }
  const eraser = startEraser(dataDirectory);
  try {
    return await deleteAll(setup, [...runs.values()], eraser);
  } finally {
    await eraser.close();
  }
}

async function deleteAll(
  setup: DeleteSetup,
  runs: readonly ErasedRun[],
  eraser: RunningEraser,
): Promise<readonly DeletedRun[]> {
  const { journal, folders } = setup;
  const deleted: DeletedRun[] = [];
  const erased: ErasedRun[] = [];
  let traces: readonly KeptPlace[] = [];
  try {
    for (const { id, seq } of runs) {
      deleted.push(await deleteRun(setup, id, eraser));
      erased.push({ id, seq });
    }
  } finally {
    // Folders of runs that never began hold tables too.
    await folders.sweep((id) => journal.findRun(id) !== undefined);
    const scrubUpTo = isAnyInFlight(setup) ? smallBytes : Number.MAX_SAFE_INTEGER;
    const { unscrubbed } = await eraser.order({ scrubUpTo, forget: erased });
    traces = unscrubbed.map(({ path, reason }) => ({ uri: path, why: tracesLeft(reason) }));
  }
  return deleted.map((run) => ({ ...run, left: [...run.left, ...traces] }));
}

/** Refuses to work on a run whose deletion has begun. */
export function requireKept(run: RunRecord): RunRecord {
  if (!run.deleting) return run;
  throw new RowcallError("RUN_NOT_FOUND", `Run ${run.id} is deleted in part: its rows are gone, or going`, {
    hint: `\`rowcall delete ${run.id}\` deletes the rest.`,
  });
}

async function deleteRun(
  { services, dataDirectory, journal, folders }: DeleteSetup,
  id: string,
  eraser: RunningEraser,
): Promise<DeletedRun> {
  const lock = await folders.lock(id);
  try {
    const reason = `Its deletion has begun: \`rowcall delete ${id}\` ends it`;
    const run = journal.updateRun(id, { deleting: true, status: "interrupted", reason });
    const removed: string[] = [];
    const left: KeptPlace[] = [];
    const { store, baseDirectory } = services;
    const { inputUri, output, recording } = run.batch;

    // Only what is named after the run is its own.
    if (recording.prefix === undefined && baseName(run.recordingsUri) === id) {
      if (await removePrefix(store, run.recordingsUri)) removed.push(run.recordingsUri);
    } else if (await hasRecordings(store, run))
      left.push({ uri: run.recordingsUri, why: "recordings, where its batch has them kept" });

    const results = join(dataDirectory, "results");
    const isOurs = schemeOf(output) === "file" && resolve(baseDirectory, output) === results;
    for (const uri of outputsOf(run)) {
      if (!isOurs) left.push({ uri, why: "a table that it wrote" });
      else if ((await store.stat(uri)) !== undefined) {
        await store.delete(uri);
        removed.push(uri);
      }
    }
    left.push({ uri: inputUri, why: "the table that it read" });

    const folder = folders.path(id);
    await rm(folder, { recursive: true, force: true });
    removed.push(folder);
    await eraser.order({ run: { seq: run.seq, id } });
    return { id, ...(run.name === null ? {} : { name: run.name }), rows: run.total, removed, left };
  } finally {
    lock.release();
  }
}

function outputsOf({ outputs, outputUri, writing }: RunRecord): ReadonlySet<string> {
  const all = [...(outputs ?? []), outputUri, writing?.uri].filter((uri) => uri !== null && uri !== undefined);
  return new Set(all.filter((uri) => uri !== "-"));
}

function isAnyInFlight({ journal, folders }: DeleteSetup): boolean {
  return journal.listRuns({ status: "running" }).some(({ id }) => folders.isLocked(id));
}

// The endpoint ends an execution a moment after its run, and needs its record for that.
function requireNoExecution(dataDirectory: string, id: string): void {
  const path = executionsPath(dataDirectory);
  if (!existsSync(path) || !isLocked(`${path}.lock`)) return;
  const database = openDatabase(path);
  try {
    const found = database
      .prepare("SELECT machine, name FROM executions WHERE run_id = ? AND status = 'RUNNING'")
      .get(id);
    if (found === undefined) return;
    const name = `${String(found["machine"])}:${String(found["name"])}`;
    throw new RowcallError("RUN_BUSY", `Run ${id} belongs to execution ${name}, which is RUNNING`, {
      hint: "Stop it with `aws stepfunctions stop-execution`, or wait for its end.",
    });
  } finally {
    database.close();
  }
}

function tracesLeft(reason: string): string {
  return `it may hold traces of deleted rows, since it could not be written anew: ${reason}. The next \`rowcall delete\` tries again`;
}

interface RunningEraser {
  /** @throws RowcallError what kept the order from being done */
  order(order: EraseOrder): Promise<EraseAnswer>;
  close(): Promise<void>;
}

function startEraser(dataDirectory: string): RunningEraser {
  // The compiled package has the same file with the other ending.
  const thread = new Worker(new URL(`./erase-thread${import.meta.url.slice(-3)}`, import.meta.url), {
    workerData: {
      journal: join(dataDirectory, "journal.db"),
      activities: activitiesPath(dataDirectory),
      executions: executionsPath(dataDirectory),
    } satisfies ErasePlaces,
    execArgv: [],
  });
  const ended = new Promise<never>((_, reject) => {
    thread.once("error", reject).once("exit", () => reject(new Error("The thread that deletes records has ended")));
  });
  ended.catch(() => {});
  return {
    order: async (order) => {
      const answered = new Promise<EraseAnswer>((resolve) => thread.once("message", resolve));
      thread.postMessage(order);
      const answer = await Promise.race([answered, ended]);
      const { failure } = answer;
      if (failure === undefined) return answer;
      const { code, message, hint } = failure;
      throw new RowcallError(code, message, { hint });
    },
    close: async () => void (await thread.terminate()),
  };
}
