import type { WaitingRows } from "../core/run.ts";
import type { Database } from "./sqlite.ts";

/** What the journal knows of rows that wait for their next attempt: the time stands with the attempt that failed, until the next begins. */
export interface WaitLog {
  /** Rows of a run that wait; of one that is not going, those that did when it ended. */
  current(seq: number): WaitingRows | undefined;
  /** When the waiting ones of the rows from `first` to `last` are due. */
  dueTimes(seq: number, first: number, last: number): ReadonlyMap<number, number>;
  /** Notes that no row of a run waits any more: what is pending is attempted at once. */
  end(seq: number): void;
}

/** Opens the waits in a journal's database. */
export function openWaitLog(database: Database): WaitLog {
  const current = database.prepare(
    `SELECT w.rows, w.until, a.row, a.code, a.message
     FROM (SELECT count(*) AS rows, min(due_at) AS until, row FROM attempts WHERE run = ?1 AND due_at IS NOT NULL) w
     JOIN attempts a ON a.run = ?1 AND a.row = w.row AND a.due_at = w.until`,
  );
  const dueTimes = database.prepare(
    "SELECT row, due_at AS dueAt FROM attempts WHERE run = ? AND due_at IS NOT NULL AND row BETWEEN ? AND ?",
  );
  const end = database.prepare("UPDATE attempts SET due_at = NULL WHERE run = ? AND due_at IS NOT NULL");
  return {
    current: (seq) => {
      const found = current.get(seq);
      return found === undefined ? undefined : ({ ...found } as unknown as WaitingRows);
    },
    dueTimes: (seq, first, last) => {
      const rows = dueTimes.all(seq, first, last) as unknown as { row: number; dueAt: number }[];
      return new Map(rows.map(({ row, dueAt }) => [row, dueAt]));
    },
    end: (seq) => void end.run(seq),
  };
}
