/** One record of the input table. */
export interface Row {
  /** 0-based position among the records after the header; a row's identity everywhere. */
  readonly index: number;
  /** 1-based line of the input on which the record begins. */
  readonly line: number;
  /** Decoded cells in header order; a ragged record has fewer or more than the header. */
  readonly cells: readonly string[];
}
