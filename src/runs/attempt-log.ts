import type { Attempt } from "../core/attempt.ts";
import { inTransaction, type Database, openDatabase } from "./sqlite.ts";
import type { JsonValue } from "../core/json.ts";
import { setFlagsFromString } from "node:v8";
import { open, type FileHandle } from "node:fs/promises";
import { isBusy } from "./database-errors.ts";

/** How an attempt stands in the journal. */
export const standing = {
  /** Under way, or it was when the process ended. */
  underWay: 0,
  /** Followed, or to be followed, by another. */
  superseded: 1,
  /** It decided its row. */
  decided: 2,
  /** It had decided its row until a rerun. */
  reopened: 3,
  /** It was in flight when its process died unasked. */
  crashed: 4,
} as const;

/** An attempt in flight. */
export interface StartedAttempt {
  readonly number: number;
  readonly at: number;
  /** Whether nothing else is in flight in its process. */
  readonly isAlone: boolean;
}

/** An attempt that has ended. */
export interface EndedAttempt {
  readonly attempt: Attempt;
  /** Whether no other attempt of the row follows. */
  readonly decides: boolean;
  /** When the next attempt is due, milliseconds since 1970, UTC, of a row that waits for it. */
  readonly dueAt?: number;
  /** Rows that share the result, the row itself included. */
  readonly weight: number;
}

/** Attempts of one run that are committed together. */
export interface AttemptGroup {
  /** The journal's number of the run. */
  readonly run: number;
  /** Those in flight, by row. */
  readonly started: ReadonlyMap<number, StartedAttempt>;
  readonly ended: readonly EndedAttempt[];
  /** Attempts of the run under way now, for other processes to read. */
  readonly underWay: number;
}

/** Prepares the writing of attempts: each group in one transaction, the run's counts with it. */
export function openAttemptWriter(database: Database): (group: AttemptGroup) => void {
  const insert = database.prepare("INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const stopWaiting = database.prepare("UPDATE attempts SET due_at = NULL WHERE run = ? AND row = ? AND number = ?");
  const count = database.prepare(
    "UPDATE runs SET succeeded = succeeded + ?, failed = failed + ?, in_flight = ? WHERE seq = ?",
  );
  return (group) => inTransaction(database, () => writeAll(group));

  function writeAll({ run, started, ended, underWay }: AttemptGroup): void {
    let succeeded = 0;
    let failed = 0;
    for (const { attempt, decides, weight, dueAt = null } of ended) {
      const { row, number, startedAt, endedAt, outcome } = attempt;
      const stands = decides ? standing.decided : standing.superseded;
      const detail = detailOf(attempt);
      if (number > 1) stopWaiting.run(run, row, number - 1);
      if (outcome.status === "succeeded") {
        const output = JSON.stringify(outcome.output);
        insert.run(run, row, number, startedAt, endedAt, stands, null, null, output, detail, dueAt);
        succeeded += decides ? weight : 0;
      } else {
        insert.run(run, row, number, startedAt, endedAt, stands, outcome.code, outcome.message, null, detail, dueAt);
        failed += decides ? weight : 0;
      }
    }
    for (const [row, { number, at, isAlone }] of started) {
      if (number > 1) stopWaiting.run(run, row, number - 1);
      insert.run(run, row, number, at, null, standing.underWay, null, null, null, isAlone ? aloneDetail : null, null);
    }
    count.run(succeeded, failed, underWay, run);
  }
}

const aloneDetail = JSON.stringify({ alone: true });

function detailOf({ steps, artifacts, outcome, worker }: Attempt): string | null {
  const hint = outcome.status === "failed" ? outcome.hint : undefined;
  if (steps.length === 0 && artifacts.length === 0 && hint === undefined && worker === undefined) return null;
  return JSON.stringify({ steps, artifacts, hint, worker });
}

// Beyond this any answer is large.
const enough = 1024 ** 3;

/** How long a value's JSON text is, give or take: found without making it. */
function roughSize(value: JsonValue): number {
  let size = 0;
  const open: JsonValue[] = [value];
  for (let next = open.pop(); next !== undefined && size < enough; next = open.pop()) {
    if (typeof next === "string") size += next.length + 2;
    else if (typeof next !== "object" || next === null) size += 5;
    else if (Array.isArray(next)) for (const item of next) open.push(item as JsonValue);
    else {
      for (const key of Object.keys(next)) {
        size += key.length + 4;
        open.push((next as Record<string, JsonValue>)[key] ?? null);
      }
    }
  }
  return size;
}

// Shorter ones pass through V8's young generation, where what is left behind costs nothing.
const largeLength = 64 * 1024;

let isCollectedEarly = false;

/**
 * Notes how long an answer is. From the first large one on, V8 collects when its heap has grown by a third: left to itself it waits
 * until a small heap is four times as large as what is in use, and that would be copies of answers.
 */
export function noteAnswerLength(length: number): void {
  if (length < largeLength || isCollectedEarly) return;
  isCollectedEarly = true;
  setFlagsFromString("--heap-growing-percent=33");
}

/** Writes a run's attempts, many in one transaction. */
export interface AttemptLog {
  started(row: number, attempt: StartedAttempt): void;
  /**
   * @param isCall - whether the agent was called, which a kill would make it be again
   * @returns undefined, or, while enough waits for the disk, a promise to wait for before more is started
   */
  ended(entry: EndedAttempt, isCall?: boolean): Promise<void> | undefined;
  /** Settles when everything is committed and synced, or nothing can be any more. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** Who hears from a log. */
export interface LogListener {
  /** Called with what has been synced; only then does an attempt count as ended. */
  onDurable(entries: readonly EndedAttempt[]): void;
  /** Called when a commit fails (disk full): nothing more will be written. */
  onFailure(error: unknown): void;
  /** Attempts under way at this moment, for other processes to read. */
  underWay(): number;
  /** How many calls may wait for their commit; asked at each end. */
  mostUncommitted(): number;
}

const groupSize = 512;
const groupBytes = 2 * 1024 * 1024;
const groupDelayMs = 4;
const mostBytes = 4 * 1024 * 1024;
// While another process writes: how soon to try again, and how long.
const busyDelayMs = 2;
const longestBusyMs = 15_000;
// A sync takes milliseconds. When rows end faster, most commits wait for the next one, so that it goes on for a fifth of the time at most.
const syncShare = 4;
const longestUnsyncedMs = 100;

/** An ended attempt on its way to the disk. */
interface Waiting {
  readonly entry: EndedAttempt;
  readonly bytes: number;
}

/**
 * Opens the log of one run. Entries are committed after a few milliseconds, or at once when as many or as large ones wait as may; an
 * attempt that starts and ends between two commits is written once. A commit goes no further than the system's memory, which takes a
 * fraction of a millisecond and outlives this process; the sync that makes it outlive a power cut holds up nobody.
 *
 * @param path - the journal's file
 * @param run - the journal's number of the run
 */
export function openAttemptLog(path: string, run: number, listener: LogListener): AttemptLog {
  const database = openDatabase(path);
  // Nobody waits inside SQLite, neither for the disk nor for another process: this is the thread that the rows run in.
  database.exec("PRAGMA busy_timeout = 0");
  // A file system may not carry a write-ahead log; then each commit is synced by SQLite.
  const hasWal = database.prepare("PRAGMA journal_mode").get()?.["journal_mode"] === "wal";
  if (hasWal) database.exec("PRAGMA synchronous = NORMAL");
  const write = openAttemptWriter(database);
  let wal: FileHandle | undefined;
  let started = new Map<number, StartedAttempt>();
  let ended: Waiting[] = [];
  let unsynced: Waiting[] = [];
  // Calls and bytes that are not committed, bytes that are not synced.
  let calls = 0;
  let groupedBytes = 0;
  let bytes = 0;
  let commits = 0;
  let syncedCommits = 0;
  let syncing: Promise<void> | undefined;
  let nextSyncAt = 0;
  let busySince: number | undefined;
  let commitTimer: NodeJS.Timeout | undefined;
  let syncTimer: NodeJS.Timeout | undefined;
  let held: (() => void)[] = [];
  let change = Promise.withResolvers<void>();
  let broken = false;

  const isEmpty = (): boolean => started.size === 0 && ended.length === 0;
  const isFull = (): boolean =>
    !broken && (calls > listener.mostUncommitted() || bytes > mostBytes || ended.length >= 2 * groupSize);
  const onChange = (): void => {
    change.resolve();
    change = Promise.withResolvers();
    if (held.length === 0 || isFull()) return;
    const free = held;
    held = [];
    for (const release of free) release();
  };
  const fail = (error: unknown): void => {
    if (broken) return;
    broken = true;
    listener.onFailure(error);
    onChange();
  };
  const commitLater = (delayMs = groupDelayMs): void => {
    if (!broken && !isEmpty()) commitTimer ??= setTimeout(onDue, delayMs);
  };
  const onDue = (): void => {
    commitTimer = undefined;
    commit(started);
  };
  const isWaitingForOther = (error: unknown): boolean => {
    if (!isBusy(error)) return false;
    const now = performance.now();
    return now - (busySince ??= now) < longestBusyMs;
  };
  const commit = (begun: typeof started): void => {
    if (broken || (begun.size === 0 && ended.length === 0)) return;
    try {
      write({ run, started: begun, ended: ended.map(({ entry }) => entry), underWay: listener.underWay() });
    } catch (error) {
      if (isWaitingForOther(error)) commitLater(busyDelayMs);
      else fail(error);
      return;
    }
    busySince = undefined;
    commits += 1;
    if (begun === started) started = new Map();
    for (const waiting of ended) unsynced.push(waiting);
    ended = [];
    calls = 0;
    groupedBytes = 0;
    if (unsynced.length > 0) syncLater();
    onChange();
  };
  const syncLater = (): void => {
    if (broken || syncing !== undefined) return;
    const delayMs = bytes > mostBytes ? 0 : nextSyncAt - performance.now();
    if (delayMs <= 0) sync();
    else syncTimer ??= setTimeout(sync, delayMs);
  };
  const sync = (): void => {
    clearTimeout(syncTimer);
    syncTimer = undefined;
    syncing ??= syncNow()
      .catch(fail)
      .finally(() => {
        syncing = undefined;
        if (unsynced.length > 0) syncLater();
        onChange();
      });
  };
  const syncNow = async (): Promise<void> => {
    const at = performance.now();
    const [durable, covered] = [unsynced, commits];
    unsynced = [];
    // What left this file for the database was synced by SQLite before.
    if (hasWal) await (wal ??= await open(`${path}-wal`, "r+")).datasync();
    const now = performance.now();
    nextSyncAt = now + Math.min(syncShare * (now - at), longestUnsyncedMs);
    syncedCommits = covered;
    for (const waiting of durable) bytes -= waiting.bytes;
    listener.onDurable(durable.map(({ entry }) => entry));
  };

  return {
    started: (row, attempt) => {
      started.set(row, attempt);
      commitLater();
    },
    ended: (entry, isCall = true) => {
      started.delete(entry.attempt.row);
      const waiting: Waiting = { entry, bytes: sizeOf(entry) };
      noteAnswerLength(waiting.bytes);
      ended.push(waiting);
      bytes += waiting.bytes;
      groupedBytes += waiting.bytes;
      if (isCall) calls += 1;
      const isGroup = isFull() || ended.length >= groupSize || groupedBytes >= groupBytes;
      // Those in flight are about to end too, or are noted a little later.
      if (isGroup && busySince === undefined) commit(new Map());
      commitLater();
      return isFull() ? new Promise((release) => held.push(release)) : undefined;
    },
    drain: async () => {
      while (!broken && (!isEmpty() || syncedCommits < commits)) {
        commit(started);
        if (syncedCommits < commits) sync();
        await change.promise;
      }
    },
    close: async () => {
      broken = true;
      clearTimeout(commitTimer);
      clearTimeout(syncTimer);
      await syncing;
      await wal?.close();
      database.close();
    },
  };
}

function sizeOf({ attempt: { outcome, steps } }: EndedAttempt): number {
  let size = outcome.status === "succeeded" ? roughSize(outcome.output) : outcome.message.length;
  for (const { name, detail = "" } of steps) size += name.length + detail.length;
  return size;
}
