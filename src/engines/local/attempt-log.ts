import type { Attempt } from "../../core/attempt.ts";
import { inTransaction, type Database } from "./sqlite.ts";

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
} as const;

/** An attempt that has ended. */
export interface EndedAttempt {
  readonly attempt: Attempt;
  /** Whether no other attempt of the row follows. */
  readonly decides: boolean;
  /** Rows that share the result, the row itself included. */
  readonly weight: number;
}

/** Writes a run's attempts, many in one transaction. */
export interface AttemptLog {
  started(row: number, number: number, at: number): void;
  ended(entry: EndedAttempt): void;
  /** Commits what has gathered. */
  flush(): void;
}

const groupSize = 1024;
const groupDelayMs = 4;

/** Who hears from a log. */
export interface LogListener {
  /** Called after each commit with what is durable now; only then does an attempt count as ended. */
  onCommit(entries: readonly EndedAttempt[]): void;
  /** Called when a commit fails (disk full): nothing more will be written. */
  onFailure(error: unknown): void;
  /** Attempts under way at this moment, for other processes to read. */
  underWay(): number;
}

/**
 * Opens the log of one run. Entries are committed after a few milliseconds or some hundreds, whichever comes first; an
 * attempt that starts and ends within one group is written once.
 */
export function createAttemptLog(database: Database, run: number, listener: LogListener): AttemptLog {
  const insert = database.prepare("INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const count = database.prepare(
    "UPDATE runs SET succeeded = succeeded + ?, failed = failed + ?, in_flight = ? WHERE seq = ?",
  );
  let started = new Map<number, { readonly number: number; readonly at: number }>();
  let ended: EndedAttempt[] = [];
  let timer: NodeJS.Timeout | undefined;
  let broken = false;

  const write = (): void => {
    for (const [row, { number, at }] of started)
      insert.run(run, row, number, at, null, standing.underWay, null, null, null, null);
    let succeeded = 0;
    let failed = 0;
    for (const { attempt, decides, weight } of ended) {
      const { outcome } = attempt;
      const ok = outcome.status === "succeeded";
      insert.run(
        run,
        attempt.row,
        attempt.number,
        attempt.startedAt,
        attempt.endedAt,
        decides ? standing.decided : standing.superseded,
        ok ? null : outcome.code,
        ok ? null : outcome.message,
        ok ? JSON.stringify(outcome.output) : null,
        detailOf(attempt),
      );
      if (decides && ok) succeeded += weight;
      if (decides && !ok) failed += weight;
    }
    count.run(succeeded, failed, listener.underWay(), run);
  };
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (broken || (started.size === 0 && ended.length === 0)) return;
    try {
      inTransaction(database, write);
    } catch (error) {
      broken = true;
      listener.onFailure(error);
      return;
    }
    const committed = ended;
    started = new Map();
    ended = [];
    listener.onCommit(committed);
  };
  const gathered = (): void => {
    if (ended.length >= groupSize) flush();
    else timer ??= setTimeout(flush, groupDelayMs);
  };
  return {
    started: (row, number, at) => {
      started.set(row, { number, at });
      gathered();
    },
    ended: (entry) => {
      started.delete(entry.attempt.row);
      ended.push(entry);
      gathered();
    },
    flush,
  };
}

function detailOf({ steps, artifacts, outcome }: Attempt): string | null {
  const hint = outcome.status === "failed" ? outcome.hint : undefined;
  if (steps.length === 0 && artifacts.length === 0 && hint === undefined) return null;
  return JSON.stringify({ steps, artifacts, hint });
}
