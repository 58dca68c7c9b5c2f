import { existsSync } from "node:fs";
import { isBusy } from "./database-errors.ts";
import { messageOf } from "../core/errors.ts";
import { inTransaction, openDatabase, type Database } from "./sqlite.ts";

/** The databases of a data directory that keep something of runs. */
export interface ErasePlaces {
  readonly journal: string;
  /** Tasks of workers; need not be there. */
  readonly activities: string;
  /** Executions of the Step Functions endpoint; need not be there. */
  readonly executions: string;
}

/** A run whose records are to go. */
export interface ErasedRun {
  /** The journal's own number of it. */
  readonly seq: number;
  readonly id: string;
}

/** A database that may hold traces of deleted records, and why. */
export interface Unscrubbed {
  readonly path: string;
  readonly reason: string;
}

/** Takes records of runs out of databases, and then their bytes. */
export interface Eraser {
  /** Deletes all records of a run but its own, so that what is cut off can be done again. */
  erase(run: ErasedRun): void;
  /**
   * Takes what deleted records have left behind out of the files.
   *
   * @param mostBytes - a larger file is left as it is: while one is written anew, nobody else can write to it
   */
  scrub(mostBytes: number): readonly Unscrubbed[];
  /** Deletes the runs' own records: the last thing, for nobody can ask again to delete a run that is not known. */
  forget(runs: readonly ErasedRun[]): void;
  close(): void;
}

// One transaction each: a run in flight in another process waits for no longer than that.
const rowsAtOnce = 2000;
const bytesAtOnce = 16 * 1024 * 1024;

/**
 * Opens an eraser.
 *
 * SQLite leaves deleted records in the file until something else needs the room. `secure_delete` overwrites them, but not the copies
 * that were left where pages were split: only a file that is written anew (VACUUM) is without them. The log beside it has all of it
 * until it is cut to nothing.
 *
 * @throws RowcallError JOURNAL_UNREADABLE
 */
export function openEraser(places: ErasePlaces): Eraser {
  const journal = openToErase(places.journal);
  const activities = openIfThere(places.activities, "tasks");
  const executions = openIfThere(places.executions, "executions");
  const hasTraces = (): boolean => journal.prepare("SELECT 1 FROM traces").get() !== undefined;
  return {
    erase: ({ seq, id }) => {
      // "0" follows "/": all keys that begin with the run's id and a slash.
      activities?.prepare("DELETE FROM tasks WHERE key > ? AND key < ?").run(`${id}/`, `${id}0`);
      executions?.prepare("DELETE FROM executions WHERE run_id = ?").run(id);
      eraseAttempts(journal, seq);
      eraseDuplicates(journal, seq);
      inTransaction(journal, () => {
        journal.prepare("DELETE FROM deliveries WHERE run = ?").run(seq);
        journal.exec("INSERT INTO traces SELECT unixepoch() WHERE NOT EXISTS (SELECT 1 FROM traces)");
      });
    },
    scrub: (mostBytes) => {
      const unscrubbed: Unscrubbed[] = [];
      const scrub = (path: string, database: Database | undefined): boolean => {
        const reason = database && rewrite(database, mostBytes);
        if (reason !== undefined) unscrubbed.push({ path, reason });
        return reason === undefined;
      };
      scrub(places.activities, activities);
      scrub(places.executions, executions);
      if (hasTraces() && scrub(places.journal, journal)) journal.exec("DELETE FROM traces");
      return unscrubbed;
    },
    forget: (runs) => {
      const forget = journal.prepare("DELETE FROM runs WHERE seq = ?");
      inTransaction(journal, () => runs.forEach(({ seq }) => forget.run(seq)));
      // Overwritten where they stood, once what was logged is in the file.
      emptyLog(journal);
    },
    close: () => {
      for (const database of [journal, activities, executions]) database?.close();
    },
  };
}

function openToErase(path: string): Database {
  const database = openDatabase(path);
  database.exec("PRAGMA secure_delete = ON");
  return database;
}

function openIfThere(path: string, table: string): Database | undefined {
  if (!existsSync(path)) return undefined;
  const database = openToErase(path);
  if (database.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").get(table) !== undefined) return database;
  database.close();
  return undefined;
}

function eraseAttempts(journal: Database, seq: number): void {
  // Asked for its length, a text need not be read.
  const sizes = journal.prepare(
    "SELECT row, ifnull(octet_length(output), 0) + ifnull(octet_length(detail), 0) AS bytes FROM attempts WHERE run = ? ORDER BY row",
  );
  const erase = journal.prepare("DELETE FROM attempts WHERE run = ? AND row <= ?");
  const nextRows = (): number | undefined => {
    let last: number | undefined;
    let rows = 0;
    let size = 0;
    for (const { row, bytes } of sizes.iterate(seq)) {
      last = Number(row);
      rows += 1;
      size += Number(bytes);
      if (rows === rowsAtOnce || size >= bytesAtOnce) break;
    }
    return last;
  };
  for (let last = nextRows(); last !== undefined; last = nextRows()) erase.run(seq, last);
}

function eraseDuplicates(journal: Database, seq: number): void {
  const erase = journal.prepare(
    "DELETE FROM duplicates WHERE run = ?1 AND row IN (SELECT row FROM duplicates WHERE run = ?1 ORDER BY row LIMIT ?2)",
  );
  while (Number(erase.run(seq, rowsAtOnce).changes) > 0);
}

/** Writes a database anew and empties its log; tells why that could not be done. */
function rewrite(database: Database, mostBytes: number): string | undefined {
  const value = (name: string): number => Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
  if ((value("page_count") - value("freelist_count")) * value("page_size") > mostBytes)
    return "it is large, and runs in flight write to it";
  try {
    // What is in the way now may be so for long; the next deletion tries again.
    database.exec("PRAGMA busy_timeout = 3000; VACUUM");
    return emptyLog(database) ? undefined : "another process is reading it";
  } catch (error) {
    return isBusy(error) ? "another process is writing to it" : messageOf(error);
  }
}

/** Whether all that was logged is in the file now, and the log is empty. */
function emptyLog(database: Database): boolean {
  return database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"] === 0;
}
