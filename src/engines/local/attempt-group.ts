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

/** Attempts that are committed together, packed to cross to the writer's thread cheaply. */
export interface AttemptGroup {
  /** The journal's number of the run. */
  readonly run: number;
  /** Five for each attempt: row, number, start and end in milliseconds since 1970 (NaN while under way), standing. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** Four for each attempt: code, message, output, detail. */
  readonly texts: readonly (string | null)[];
  /** Rows that this group decides. */
  readonly succeeded: number;
  readonly failed: number;
  /** Attempts of the run under way now. */
  readonly underWay: number;
}

/** What the writer says to each group: committed, or why not. */
export interface WriterAnswer {
  readonly failure?: Error;
}
