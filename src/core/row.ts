/**
 * A row as messages name it, by its number and where it stands in the input: `24 (line 27)`.
 *
 * @param line - 1-based; undefined where it is not known
 */
export function rowAndLine(row: number, line: number | undefined): string {
  return line === undefined ? String(row) : `${row} (line ${line})`;
}

/** One record of the input table. */
export interface Row {
  /** 0-based position among the records after the header; a row's identity everywhere. */
  readonly index: number;
  /** 1-based line of the input on which the record begins. */
  readonly line: number;
  /** Decoded cells in header order; a ragged record has fewer or more than the header. */
  readonly cells: readonly string[];
}
