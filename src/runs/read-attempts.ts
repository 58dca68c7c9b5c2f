import { failedOutcome, type Artifact, type Attempt, type Outcome, type StepRecord } from "../core/attempt.ts";
import type { ErrorCode } from "../core/errors.ts";
import { parseJson, type JsonObject } from "../core/json.ts";
import { noteAnswerLength } from "./attempt-log.ts";
import type { Database } from "./sqlite.ts";

// Answers may be large: what is read at once ends with the row that reaches so many characters.
const pieceLength = 1024 * 1024;

/** Attempts of some rows as the database has them. */
export interface AttemptPiece {
  /** By row, oldest first. */
  readonly entries: ReadonlyMap<number, readonly AttemptEntry[]>;
  /** Last row that was looked at: the next piece begins behind it. */
  readonly through: number;
}

/** Reads attempts of a run's rows from `first` to `last`, a piece at a time. */
export type ReadAttempts = (seq: number, first: number, last: number) => AttemptPiece;

/** Prepares the reading of attempts that meet a condition. */
export function openAttemptReader(database: Database, condition: string): ReadAttempts {
  const statement = database.prepare(
    `SELECT row, number, started_at, ended_at, code, message, output, detail FROM attempts
     WHERE run = ? AND row BETWEEN ? AND ? AND ${condition} ORDER BY row, number`,
  );
  statement.setReturnArrays(true);
  // Asked rather than found out by reading on: the next row's answer may be large, and would be read twice.
  const later = database.prepare(
    `SELECT 1 FROM attempts WHERE run = ? AND row = ? AND number > ? AND ${condition} LIMIT 1`,
  );
  return (seq, first, last) => {
    const entries = new Map<number, AttemptEntry[]>();
    let length = 0;
    for (const entry of statement.iterate(seq, first, last) as unknown as Iterable<AttemptEntry>) {
      const [row, number, , , , message, output, detail] = entry;
      const before = entries.get(row);
      if (before === undefined) entries.set(row, [entry]);
      else before.push(entry);
      const added = (message?.length ?? 0) + (output?.length ?? 0) + (detail?.length ?? 0);
      noteAnswerLength(added);
      length += added;
      if (length >= pieceLength && later.get(seq, row, number) === undefined) return { entries, through: row };
    }
    return { entries, through: last };
  };
}

/**
 * Attempts of rows that are asked for in ascending order, with few of them in memory at once.
 *
 * @param first - first row that will be asked for
 * @param last - last row that will be
 */
export function attemptsByRow(
  read: ReadAttempts,
  seq: number,
  first: number,
  last: number,
): (row: number) => readonly AttemptEntry[] {
  const nothing: AttemptPiece = { entries: new Map(), through: first - 1 };
  let piece = nothing;
  return (row) => {
    if (row > piece.through) {
      // What was read before is let go of first.
      piece = nothing;
      piece = read(seq, row, last);
    }
    return piece.entries.get(row) ?? [];
  };
}

/** One attempt as the database has it. */
export type AttemptEntry = readonly [
  row: number,
  number: number,
  startedAt: number,
  endedAt: number | null,
  code: ErrorCode | null,
  message: string | null,
  output: string | null,
  detail: string | null,
];

/** An attempt out of the database. */
export function toAttempt([row, number, startedAt, endedAt, code, message, output, detail]: AttemptEntry): Attempt {
  const {
    steps = [],
    artifacts = [],
    hint,
    worker,
  } = (detail === null ? {} : JSON.parse(detail)) as {
    steps?: StepRecord[];
    artifacts?: Artifact[];
    hint?: string;
    worker?: string;
  };
  const outcome: Outcome =
    output === null
      ? failedOutcome(code ?? "INTERRUPTED", message ?? "", { hint })
      : { status: "succeeded", output: parseJson(output) as JsonObject };
  return {
    row,
    number,
    startedAt,
    endedAt: endedAt ?? startedAt,
    outcome,
    steps,
    artifacts,
    ...(worker === undefined ? {} : { worker }),
  };
}
