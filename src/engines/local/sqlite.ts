import { existsSync, truncateSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { RowcallError, messageOf } from "../../core/errors.ts";

/** An open database. */
export type Database = DatabaseSync;

/** What becomes of a database when its process ends: `durable`, a committed transaction survives a power cut; `scratch`, nothing. */
export type Durability = "durable" | "scratch";

const pragmas = {
  durable: "PRAGMA busy_timeout = 15000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
  scratch: "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;",
} as const;

/**
 * Opens a database file: a durable one for several processes, a scratch one for this process alone.
 *
 * @param path - file, or `:memory:`
 * @throws RowcallError JOURNAL_UNREADABLE
 */
export function openDatabase(path: string, durability: Durability = "durable"): Database {
  try {
    const database = new DatabaseSync(path);
    database.exec(`${pragmas[durability]} PRAGMA foreign_keys = ON;`);
    return database;
  } catch (cause) {
    throw new RowcallError("JOURNAL_UNREADABLE", `The journal ${path} cannot be opened: ${messageOf(cause)}`, {
      hint: "Check that the folder can be written and the file is a Rowcall journal, or choose another folder with --data-dir.",
      cause,
    });
  }
}

/** A lock that ends with the process that holds it, however it ends. */
export interface ProcessLock {
  release(): void;
}

/**
 * Takes a lock; undefined when another process, or another part of this one, holds it. A lock file that is damaged is made anew.
 *
 * @param path - a file for this lock alone
 * @throws RowcallError JOURNAL_UNREADABLE when it cannot be told whether somebody holds it
 */
export function tryLock(path: string): ProcessLock | undefined {
  try {
    return takeLock(path);
  } catch (error) {
    if (!isDamage(error)) throw lockError(path, error);
  }
  try {
    // Whoever held it would have been met before its content was read. Emptied rather than replaced: a lock belongs to the file, not to its name.
    truncateSync(path);
    return takeLock(path);
  } catch (error) {
    throw lockError(path, error);
  }
}

/** Whether somebody holds a lock now; a lock that cannot be asked for is held by nobody. */
export function isLocked(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    const lock = takeLock(path);
    lock?.release();
    return lock === undefined;
  } catch {
    return false;
  }
}

function takeLock(path: string): ProcessLock | undefined {
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE;");
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (resultOf(error) === result.busy) return undefined;
    throw error;
  }
}

function lockError(path: string, cause: unknown): RowcallError {
  return new RowcallError("JOURNAL_UNREADABLE", `The lock ${path} cannot be taken: ${messageOf(cause)}`, {
    hint: "Check that the disk of the data directory has room and that the folder can be written to.",
    cause,
  });
}

/** Runs a function in one transaction; rolled back when it throws. */
export function inTransaction<T>(database: Database, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // A full disk ends the transaction by itself.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** What went wrong with a database, in our words: JOURNAL_UNREADABLE; anything else stays as it is. */
export function explainDatabaseError(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || !("code" in thrown) || thrown.code !== "ERR_SQLITE_ERROR") return thrown;
  if (isDamage(thrown)) {
    return new RowcallError("JOURNAL_UNREADABLE", `The journal is damaged: ${thrown.message}`, {
      hint: "Put a copy of journal.db back, or move it away: a new one is made, and outputs stay where they are.",
      cause: thrown,
    });
  }
  if (resultOf(thrown) === result.error) {
    return new RowcallError("JOURNAL_UNREADABLE", `The journal is not one of Rowcall's: ${thrown.message}`, {
      hint: "Choose another folder with --data-dir, or move the file away: a new one is made.",
      cause: thrown,
    });
  }
  return new RowcallError("JOURNAL_UNREADABLE", `The journal cannot be written: ${thrown.message}`, {
    hint: "Make room on the disk of the data directory and see that it can be written; what is finished is kept.",
    cause: thrown,
  });
}

// SQLite's primary result codes: https://www.sqlite.org/rescode.html
const result = { error: 1, busy: 5, corrupt: 11, notADatabase: 26 } as const;

function resultOf(thrown: unknown): number | undefined {
  return thrown instanceof Error && "errcode" in thrown ? Number(thrown.errcode) & 0xff : undefined;
}

function isDamage(thrown: unknown): boolean {
  const code = resultOf(thrown);
  return code === result.corrupt || code === result.notADatabase;
}
