import type { Attempt } from "../../core/attempt.ts";

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

/** Attempts that are committed together, packed to cross to the writer's thread cheaply. */
export interface AttemptGroup {
  /** The journal's number of the run. */
  readonly run: number;
  /**
   * Six for each attempt: row, number, start and end in milliseconds since 1970 (NaN while under way), standing, when the row's next
   * attempt is due (NaN unless it waits for it).
   */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** Four for each attempt: code, message, output, detail; a long one may be given as bytes in UTF-8. */
  readonly texts: readonly (string | Uint8Array<ArrayBuffer> | null)[];
  /** Rows that this group decides. */
  readonly succeeded: number;
  readonly failed: number;
  /** Attempts of the run under way now. */
  readonly underWay: number;
}

/** A group on its way to the writer's thread. */
export interface WriterOrder {
  readonly group: AttemptGroup;
  /** Whether this group, and all before it, shall survive a power cut too; the end of the process they survive in any case. */
  readonly isSynced: boolean;
}

/** What the writer says once it is ready, and to each order: committed, or why not. */
export interface WriterAnswer {
  readonly isReady?: true;
  readonly failure?: Error;
}

/** An attempt in flight. */
export interface StartedAttempt {
  readonly number: number;
  readonly at: number;
  /** Whether nothing else is in flight in its process. */
  readonly isAlone: boolean;
}

const aloneDetail = JSON.stringify({ alone: true });

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

/**
 * Packs attempts of one run.
 *
 * @param run - the journal's number of the run
 * @param started - those under way, by row
 * @param underWay - how many are under way now, for other processes to read
 */
export function packAttempts(
  run: number,
  started: ReadonlyMap<number, StartedAttempt>,
  ended: readonly EndedAttempt[],
  underWay: number,
): AttemptGroup {
  const numbers = new Float64Array((started.size + ended.length) * 6);
  const texts: (string | null)[] = [];
  let used = 0;
  let succeeded = 0;
  let failed = 0;
  const add = (
    row: number,
    number: number,
    startedAt: number,
    endedAt: number,
    stands: number,
    dueAt = Number.NaN,
  ): void => {
    numbers[used++] = row;
    numbers[used++] = number;
    numbers[used++] = startedAt;
    numbers[used++] = endedAt;
    numbers[used++] = stands;
    numbers[used++] = dueAt;
  };
  for (const { attempt, decides, weight, dueAt } of ended) {
    const { outcome } = attempt;
    const stands = decides ? standing.decided : standing.superseded;
    add(attempt.row, attempt.number, attempt.startedAt, attempt.endedAt, stands, dueAt);
    if (outcome.status === "succeeded") {
      texts.push(null, null, JSON.stringify(outcome.output), detailOf(attempt));
      succeeded += decides ? weight : 0;
    } else {
      texts.push(outcome.code, outcome.message, null, detailOf(attempt));
      failed += decides ? weight : 0;
    }
  }
  for (const [row, { number, at, isAlone }] of started) {
    add(row, number, at, Number.NaN, standing.underWay);
    texts.push(null, null, null, isAlone ? aloneDetail : null);
  }
  return { run, numbers, texts, succeeded, failed, underWay };
}

function detailOf({ steps, artifacts, outcome, worker }: Attempt): string | null {
  const hint = outcome.status === "failed" ? outcome.hint : undefined;
  if (steps.length === 0 && artifacts.length === 0 && hint === undefined && worker === undefined) return null;
  return JSON.stringify({ steps, artifacts, hint, worker });
}
