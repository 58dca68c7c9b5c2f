import { existsSync, truncateSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { isBusy, isDamage } from "./database-errors.ts";
import { RowcallError, messageOf } from "../core/errors.ts";
import { closeToOthers } from "./data-directory.ts";

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
  closeToOthers(path);
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
  closeToOthers(path);
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
    if (isBusy(error)) return undefined;
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
