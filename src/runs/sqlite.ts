import { truncateSync } from "node:fs";
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

/**
 * Whether somebody holds a lock now. Looking never keeps anybody from taking it. A lock that cannot be looked at counts as free: taking it
 * says why it cannot be.
 */
export function isLocked(path: string): boolean {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    database.exec("PRAGMA busy_timeout = 0; SELECT 1 FROM sqlite_schema;");
    return false;
  } catch (error) {
    return isBusy(error);
  } finally {
    database?.close();
  }
}

// A look lasts for microseconds, unless its process is stopped in the middle of it.
const longestLookMs = 5000;

// By SQLite's own locks (https://www.sqlite.org/lockingv3.html): a look is SHARED for a moment, the lock is EXCLUSIVE. RESERVED comes first, and
// a look is not in its way: when it is not free, somebody holds the lock or is taking it. What is waited for after that are looks that have
// begun, for PENDING lets no other begin.
function takeLock(path: string): ProcessLock | undefined {
  const database = new DatabaseSync(path);
  try {
    // It writes something: of a file that is read-only SQLite would begin a transaction that only reads, and say nothing.
    database.exec(`PRAGMA busy_timeout = 0; ${pragmas.scratch} BEGIN IMMEDIATE; PRAGMA user_version = 1;`);
    // In exclusive mode a transaction that ends keeps its locks.
    database.exec(`PRAGMA busy_timeout = ${longestLookMs}; COMMIT;`);
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

/** The journal's schema: each entry takes it one version further; entries are never changed once released. */
export const journalMigrations: readonly string[] = [
  `
  CREATE TABLE runs (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT UNIQUE,
    status TEXT NOT NULL,
    batch TEXT NOT NULL,
    agent TEXT NOT NULL,
    fields TEXT NOT NULL,
    request TEXT NOT NULL,
    staged TEXT NOT NULL,
    total INTEGER NOT NULL,
    succeeded INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    in_flight INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    output_uri TEXT,
    recordings_uri TEXT NOT NULL,
    reason TEXT,
    stop_requested INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE attempts (
    run INTEGER NOT NULL REFERENCES runs (seq),
    row INTEGER NOT NULL,
    number INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    standing INTEGER NOT NULL,
    code TEXT,
    message TEXT,
    output TEXT,
    detail TEXT,
    PRIMARY KEY (run, row, number)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE duplicates (
    run INTEGER NOT NULL REFERENCES runs (seq),
    row INTEGER NOT NULL,
    leader INTEGER NOT NULL,
    PRIMARY KEY (run, row)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX duplicates_by_leader ON duplicates (run, leader);
  `,
  `
  CREATE TABLE deliveries (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    run INTEGER NOT NULL REFERENCES runs (seq),
    ending INTEGER NOT NULL,
    place INTEGER NOT NULL,
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    tries INTEGER NOT NULL,
    tried_at INTEGER NOT NULL,
    code TEXT,
    message TEXT,
    hint TEXT
  ) STRICT;
  CREATE INDEX deliveries_by_run ON deliveries (run);
  `,
  `ALTER TABLE runs ADD COLUMN limits TEXT`,
  // Of failed rows only: what succeeds pays nothing for it.
  "CREATE INDEX failed_rows ON attempts (run, row, code) WHERE standing = 2 AND code IS NOT NULL",
  // The object that a run is about to write as its output, as JSON: should the process end before the run knows of it.
  `ALTER TABLE runs ADD COLUMN writing TEXT`,
  // Of the last attempt of a row that waits for its next one: when that is due.
  `ALTER TABLE attempts ADD COLUMN due_at INTEGER;
   CREATE INDEX waiting_rows ON attempts (run, row, due_at) WHERE due_at IS NOT NULL`,
  // Whether a run's deletion has begun; every output that it wrote, as JSON; since when the file may hold traces of deleted rows.
  `ALTER TABLE runs ADD COLUMN deleting INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE runs ADD COLUMN outputs TEXT;
   CREATE TABLE traces (since INTEGER NOT NULL) STRICT`,
];

/**
 * Brings a database to this version's schema.
 *
 * @param migrations - each takes the schema one version further
 * @throws RowcallError JOURNAL_UNREADABLE when a newer version or another program wrote it
 */
export function migrate(database: Database, migrations: readonly string[]): void {
  const version = (): number =>
    (database.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
  if (version() > migrations.length) {
    throw new RowcallError(
      "JOURNAL_UNREADABLE",
      `The journal was written by a newer version (schema ${version()}, this one knows ${migrations.length})`,
      {
        hint: "Update Rowcall, or choose another folder with --data-dir.",
      },
    );
  }
  if (version() === migrations.length) return;
  inTransaction(database, () => {
    // Read again inside the transaction: another process may have migrated meanwhile.
    const from = version();
    if (from === 0 && database.prepare("SELECT 1 FROM sqlite_schema").get() !== undefined) throw foreignDatabase();
    for (let next = from; next < migrations.length; next += 1) database.exec(migrations[next] ?? "");
    database.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}

function foreignDatabase(): RowcallError {
  return new RowcallError("JOURNAL_UNREADABLE", "The journal is the database of another program", {
    hint: "Choose another folder with --data-dir.",
  });
}
