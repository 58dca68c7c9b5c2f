import type { Attempt } from "../core/attempt.ts";

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
