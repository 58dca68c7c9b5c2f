import type { RowOrder, RowStatus } from "../core/engine.ts";
import type { ErrorCode } from "../core/errors.ts";
import { standing } from "./attempt-log.ts";
import type { Database } from "./sqlite.ts";

/** How rows must stand. */
export interface Standing {
  readonly status?: RowStatus | undefined;
  readonly code?: ErrorCode | undefined;
}

/** A row by what it is ordered by. */
export interface RankedRow {
  readonly row: number;
  /** Milliseconds or attempts. */
  readonly value: number;
}

/** Attempts that ended within one time slice. */
export interface SliceCount {
  readonly slice: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly durationMs: number;
}

/** Looks through a run's rows `first` to `last`, ends included: callers go through a table in pieces, so that no call takes long. */
export interface RowReader {
  /** Rows that stand so, in order; undefined when all do. */
  standing(how: Standing, first: number, last: number): readonly number[] | undefined;
  /** Rows that were attempted and stand so, ordered by value, then by row; only those after a place in that order. */
  ranked(
    order: Exclude<RowOrder, "row">,
    descending: boolean,
    how: Standing,
    first: number,
    last: number,
    after: RankedRow | undefined,
    many: number,
  ): readonly RankedRow[];
  /** Ended attempts by time slice. */
  slices(from: number, sliceMs: number, first: number, last: number): readonly SliceCount[];
  /** Ended attempts by the worker that made them. */
  workers(
    first: number,
    last: number,
  ): readonly { readonly worker: string; readonly attempts: number; readonly lost: number }[];
  /** Rows that failed by code, with the first of each. */
  failures(
    first: number,
    last: number,
  ): readonly { readonly code: ErrorCode; readonly count: number; readonly row: number }[];
}

const decided = `standing = ${standing.decided}`;
const underWay = `standing = ${standing.underWay}`;
// Followers of a leader stand as it does.
const follow = (condition: string): string => `
  SELECT row FROM attempts WHERE run = $run AND row BETWEEN $first AND $last AND ${condition}
  UNION SELECT d.row FROM duplicates d JOIN attempts a ON a.run = d.run AND a.row = d.leader AND ${condition}
    WHERE d.run = $run AND d.row BETWEEN $first AND $last ORDER BY 1`;
const ended = `standing <> ${standing.underWay}`;
const values = { duration: `sum(iif(${ended}, ended_at - started_at, 0))`, attempts: `sum(${ended})` } as const;
// Of the attempts of one row.
const stands: Readonly<Record<RowStatus, string>> = {
  failed: `max(${decided} AND code IS NOT NULL) = 1`,
  succeeded: `max(${decided} AND code IS NULL) = 1`,
  in_flight: `max(${decided}) = 0 AND max(${underWay}) = 1`,
  pending: `max(${decided}) = 0 AND max(${underWay}) = 0`,
};

/** Prepares the reading of a run's rows. */
export function openRowReader(database: Database, run: number): RowReader {
  const rowsWhere = (condition: string, first: number, last: number, code?: ErrorCode): number[] => {
    const statement = database.prepare(follow(condition));
    return statement
      .all({ run, first, last, ...(code === undefined ? {} : { code }) })
      .map((entry) => Number(entry["row"]));
  };
  const standingRows: RowReader["standing"] = ({ status, code }, first, last) => {
    if (code !== undefined && status !== undefined && status !== "failed") return [];
    if (code !== undefined) return rowsWhere(`${decided} AND code IS NOT NULL AND code = $code`, first, last, code);
    if (status === undefined) return undefined;
    if (status === "failed") return rowsWhere(`${decided} AND code IS NOT NULL`, first, last);
    if (status === "succeeded") return rowsWhere(`${decided} AND code IS NULL`, first, last);
    if (status === "in_flight") return rowsWhere(underWay, first, last);
    const begun = new Set(rowsWhere(`standing IN (${standing.underWay}, ${standing.decided})`, first, last));
    return Array.from({ length: last - first + 1 }, (_, i) => first + i).filter((row) => !begun.has(row));
  };
  return {
    standing: standingRows,
    ranked: (order, descending, how, first, last, after, many) => {
      const [direction, beyond] = descending ? ["DESC", "<"] : ["ASC", ">"];
      const place = after === undefined ? "TRUE" : `(value ${beyond} $value OR (value = $value AND row > $row))`;
      const conditions = [
        place,
        `sum(${ended}) > 0`,
        ...(how.status === undefined ? [] : [stands[how.status]]),
        ...(how.code === undefined ? [] : [`max(${decided} AND code = $code) = 1`]),
      ];
      const statement = database.prepare(
        `SELECT row, ${values[order]} AS value FROM attempts
         WHERE run = $run AND row BETWEEN $first AND $last
         GROUP BY row HAVING ${conditions.join(" AND ")} ORDER BY value ${direction}, row LIMIT $many`,
      );
      return statement.all({
        run,
        first,
        last,
        many,
        ...(after === undefined ? {} : { value: after.value, row: after.row }),
        ...(how.code === undefined ? {} : { code: how.code }),
      }) as unknown as RankedRow[];
    },
    slices: (from, sliceMs, first, last) =>
      database
        .prepare(
          `SELECT CAST((ended_at - ?) / ? AS INTEGER) AS slice, sum(code IS NULL) AS succeeded, sum(code IS NOT NULL) AS failed,
             sum(ended_at - started_at) AS durationMs
           FROM attempts WHERE run = ? AND row BETWEEN ? AND ? AND ${ended} GROUP BY slice`,
        )
        .all(from, sliceMs, run, first, last) as unknown as SliceCount[],
    workers: (first, last) =>
      database
        .prepare(
          `SELECT detail ->> 'worker' AS worker, count(*) AS attempts, sum(code IS 'WORKER_LOST') AS lost
           FROM attempts WHERE run = ? AND row BETWEEN ? AND ? AND ${ended} AND worker IS NOT NULL
           GROUP BY worker`,
        )
        .all(run, first, last) as unknown as ReturnType<RowReader["workers"]>,
    failures: (first, last) =>
      database
        .prepare(
          `SELECT code, sum(1 + (SELECT count(*) FROM duplicates d WHERE d.run = a.run AND d.leader = a.row)) AS count,
             min(row) AS row
           FROM attempts a WHERE run = ? AND row BETWEEN ? AND ? AND ${decided} AND code IS NOT NULL GROUP BY code`,
        )
        .all(run, first, last) as unknown as ReturnType<RowReader["failures"]>,
  };
}
