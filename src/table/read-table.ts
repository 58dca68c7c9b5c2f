import type { InputDialect } from "../core/batch.ts";
import type { Row } from "../core/row.ts";
import { detectDialect, emptyInput, toUtf8, type Dialect } from "./dialect.ts";
import { parseRecords, type ParsedRecord } from "./parse.ts";

/** A table that is read from its beginning. */
export interface TableReading {
  readonly dialect: Dialect;
  readonly header: readonly string[];
  /** The rows in order, as many at a time as a chunk of the input holds; they are read once, and the input is closed after that. */
  readonly rows: AsyncIterable<readonly Row[]>;
}

/**
 * Reads how a table is written down and what its columns are called; rows follow as they are asked for.
 *
 * @param read - opens the input anew; it is read twice
 * @throws RowcallError INPUT_EMPTY, INPUT_ENCODING, INPUT_MALFORMED; as the store does
 */
export async function readTable(read: () => AsyncIterable<Uint8Array>, given: InputDialect): Promise<TableReading> {
  const dialect = await detectDialect(read(), given);
  const chunks = parseRecords(toUtf8(read(), dialect), dialect);
  let first: readonly ParsedRecord[] = [];
  while (first.length === 0) {
    const next = await chunks.next();
    if (next.done === true) throw emptyInput();
    first = next.value;
  }
  const [header, ...rest] = first;
  return { dialect, header: header?.cells ?? [], rows: rowsOf(rest, chunks) };
}

async function* rowsOf(
  first: readonly ParsedRecord[],
  chunks: AsyncGenerator<readonly ParsedRecord[]>,
): AsyncGenerator<readonly Row[]> {
  let count = 0;
  const numbered = (records: readonly ParsedRecord[]): readonly Row[] =>
    records.map(({ line, cells }) => ({ index: count++, line, cells }));
  try {
    yield numbered(first);
    for await (const records of chunks) yield numbered(records);
  } finally {
    await chunks.return(undefined);
  }
}
