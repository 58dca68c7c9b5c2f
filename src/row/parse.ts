import { Parser, type CsvError } from "csv-parse";
import { parse as parseText } from "csv-parse/sync";
import { RowcallError } from "../core/errors.ts";
import { recordDelimiters, type Dialect } from "./dialect.ts";

/** One record and where its bytes are. */
export interface ParsedRecord {
  readonly cells: readonly string[];
  /** 1-based line on which the record begins. */
  readonly line: number;
  /** Offset just after the record's line end, in bytes of the UTF-8 text. Blank lines before a record belong to it. */
  readonly end: number;
}

/** Where in the text a record begins, blank lines before it included. */
interface Position {
  offset: number;
  line: number;
}

const quote = 0x22;

/**
 * Cuts a table's UTF-8 text into records, the header included, one array per chunk of input.
 * Blank lines are not records. A quote inside an unquoted cell is an ordinary character.
 *
 * @throws RowcallError INPUT_MALFORMED when a quote is never closed
 */
export async function* parseRecords(
  source: AsyncIterable<Uint8Array>,
  dialect: Dialect,
): AsyncGenerator<readonly ParsedRecord[]> {
  const chunks = source[Symbol.asyncIterator]();
  const at: Position = { offset: 0, line: 1 };
  const lineBreak = breakByte(dialect);
  // Joined once a line is whole: a line may arrive in thousands of chunks.
  let pending: Buffer[] = [];
  // Up to the first quote there is no grammar: lines are records and delimiters divide them. It is a third of the cost.
  for (;;) {
    const next = await chunks.next();
    const done = next.done === true;
    const chunk = next.done === true ? Buffer.alloc(0) : viewOf(next.value);
    pending.push(chunk);
    if (chunk.includes(quote)) break;
    if (!done && !chunk.includes(lineBreak)) continue;
    const bytes = joined(pending);
    const whole = done ? bytes.length : bytes.lastIndexOf(lineBreak) + 1;
    const records = splitLines(bytes.subarray(0, whole), at, dialect);
    if (records.length > 0) yield records;
    if (done) return;
    pending = whole === bytes.length ? [] : [bytes.subarray(whole)];
  }
  yield* parseQuoted(joined(pending), { [Symbol.asyncIterator]: () => chunks }, at, dialect);
}

async function* parseQuoted(
  head: Buffer,
  tail: AsyncIterable<Uint8Array>,
  at: Position,
  dialect: Dialect,
): AsyncGenerator<readonly ParsedRecord[]> {
  const base = at.offset;
  let unread: Buffer[] = [];
  const takeUnread = (length: number): Buffer => {
    if ((unread[0]?.length ?? 0) < length) unread = [joined(unread)];
    const first = unread[0] ?? Buffer.alloc(0);
    unread[0] = first.subarray(length);
    return first.subarray(0, length);
  };
  let records: ParsedRecord[] = [];
  let failure: CsvError | undefined;
  const parser = new Parser({
    ...grammar(dialect),
    on_record: (cells: string[], context) => {
      const end = base + context.bytes;
      const bytes = takeUnread(end - at.offset);
      records.push({ cells, line: at.line + blankLines(bytes, dialect), end });
      at.line += countLines(bytes, dialect);
      at.offset = end;
      return null;
    },
  });
  parser.on("error", (error) => (failure = error as CsvError));
  parser.resume();
  const feed = async (chunk: Uint8Array): Promise<readonly ParsedRecord[]> => {
    unread.push(viewOf(chunk));
    await new Promise<void>((done) => parser.write(chunk, () => done()));
    return taken();
  };
  const taken = (): readonly ParsedRecord[] => {
    if (failure !== undefined) throw malformed(failure, at.line + blankLines(joined(unread), dialect));
    const parsed = records;
    records = [];
    return parsed;
  };
  yield await feed(head);
  for await (const chunk of tail) yield await feed(chunk);
  await new Promise<void>((done) => parser.once("close", done).end());
  yield taken();
}

function splitLines(bytes: Buffer, at: Position, dialect: Dialect): ParsedRecord[] {
  const lineBreak = breakByte(dialect);
  const records: ParsedRecord[] = [];
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(lineBreak, start);
    const end = found === -1 ? bytes.length : found + 1;
    let stop = found === -1 ? bytes.length : found;
    if (found !== -1 && lineBreak === 0x0a && stop > start && bytes[stop - 1] === 0x0d) stop -= 1;
    at.offset += end - start;
    if (stop > start)
      records.push({
        cells: bytes.toString("utf8", start, stop).split(dialect.delimiter),
        line: at.line,
        end: at.offset,
      });
    at.line += 1;
    start = end;
  }
  return records;
}

/**
 * The cells of whole records given as UTF-8 bytes.
 *
 * @param utf8 - one or more records from `parseRecords`, cut at their ends
 */
export function parseCells(utf8: Buffer, dialect: Dialect): readonly (readonly string[])[] {
  return utf8.includes(quote)
    ? parseText(utf8, grammar(dialect))
    : splitLines(utf8, { offset: 0, line: 1 }, dialect).map(({ cells }) => cells);
}

function breakByte(dialect: Dialect): number {
  return dialect.lineEnd === "\r" ? 0x0d : 0x0a;
}

function joined(chunks: readonly Buffer[]): Buffer {
  return chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks);
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function grammar(dialect: Dialect): object {
  return {
    delimiter: dialect.delimiter,
    record_delimiter: recordDelimiters(dialect.lineEnd),
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
  };
}

function malformed(error: CsvError, line: number): RowcallError {
  const unclosed = error.code === "CSV_QUOTE_NOT_CLOSED";
  const what = unclosed
    ? `a quote is opened in the record that begins on line ${line} and never closed`
    : error.message;
  return new RowcallError("INPUT_MALFORMED", `The input is not a table: ${what}`, {
    hint: "Close the quote, or double it when it belongs to the text. Nothing has been run.",
    cause: error,
    details: { line },
  });
}

/** How the bytes of one record divide. */
export interface RecordParts {
  /** Blank lines before the record. */
  readonly lead: Buffer;
  /** The record itself, as it stood. */
  readonly body: Buffer;
  /** Its line end; empty at the end of a file that lacks one. */
  readonly lineEnd: Buffer;
}

/** Divides a record's bytes into blank lines before it, the record, and its line end. */
export function splitRecord(bytes: Buffer, dialect: Dialect): RecordParts {
  const start = blankBytes(bytes, dialect);
  let end = bytes.length;
  if (bytes[end - 1] === breakByte(dialect)) end -= dialect.lineEnd !== "\r" && bytes[end - 2] === 0x0d ? 2 : 1;
  return { lead: bytes.subarray(0, start), body: bytes.subarray(start, end), lineEnd: bytes.subarray(end) };
}

function blankLines(bytes: Buffer, dialect: Dialect): number {
  return countLines(bytes.subarray(0, blankBytes(bytes, dialect)), dialect);
}

function blankBytes(bytes: Buffer, dialect: Dialect): number {
  const lineBreak = breakByte(dialect);
  let end = 0;
  for (;;) {
    if (bytes[end] === lineBreak) end += 1;
    else if (lineBreak === 0x0a && bytes[end] === 0x0d && bytes[end + 1] === 0x0a) end += 2;
    else return end;
  }
}

function countLines(bytes: Uint8Array, dialect: Dialect): number {
  const lineBreak = breakByte(dialect);
  let count = 0;
  for (let at = bytes.indexOf(lineBreak); at !== -1; at = bytes.indexOf(lineBreak, at + 1)) count += 1;
  return count;
}
