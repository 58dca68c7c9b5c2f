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
  try {
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
  } finally {
    // Who has read enough leaves the rest of the input unread.
    await chunks.return?.();
  }
}

async function* parseQuoted(
  head: Buffer,
  tail: AsyncIterable<Uint8Array>,
  at: Position,
  dialect: Dialect,
): AsyncGenerator<readonly ParsedRecord[]> {
  const base = at.offset;
  // What has been fed since the first record that is not cut yet, and where in the text it begins.
  let unread: Buffer[] = [];
  let unreadFrom = base;
  let records: ParsedRecord[] = [];
  let failure: CsvError | undefined;
  const parser = new Parser({
    ...grammar(dialect),
    on_record: (cells: string[], context) => {
      const end = base + context.bytes;
      if ((unread[0]?.length ?? 0) < end - unreadFrom) unread = [joined(unread)];
      const bytes = unread[0] ?? Buffer.alloc(0);
      const start = at.offset - unreadFrom;
      const blank = blankEnd(bytes, start, dialect);
      records.push({ cells, line: at.line + countLines(bytes, start, blank, dialect), end });
      at.line += countLines(bytes, start, end - unreadFrom, dialect);
      at.offset = end;
      return null;
    },
  });
  parser.on("error", (error) => (failure = error as CsvError));
  parser.resume();
  const feed = async (chunk: Uint8Array): Promise<readonly ParsedRecord[]> => {
    if (at.offset > unreadFrom) {
      unread = [(unread[0] ?? Buffer.alloc(0)).subarray(at.offset - unreadFrom), ...unread.slice(1)];
      unreadFrom = at.offset;
    }
    unread.push(viewOf(chunk));
    await new Promise<void>((done) => parser.write(chunk, () => done()));
    return taken();
  };
  const taken = (): readonly ParsedRecord[] => {
    if (failure !== undefined) {
      const bytes = joined(unread).subarray(at.offset - unreadFrom);
      throw malformed(failure, at.line + countLines(bytes, 0, blankEnd(bytes, 0, dialect), dialect));
    }
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
    const stop = bodyEnd(bytes, start, end, dialect);
    at.offset += end - start;
    if (stop > start) records.push({ cells: splitLine(bytes, start, stop, dialect), line: at.line, end: at.offset });
    at.line += 1;
    start = end;
  }
  return records;
}

function splitLine(bytes: Buffer, start: number, stop: number, dialect: Dialect): string[] {
  return bytes.toString("utf8", start, stop).split(dialect.delimiter);
}

/**
 * The cells of consecutive records given as UTF-8 bytes; those without a quote are only divided.
 *
 * @param ends - offset just after each record
 */
export function parseCells(utf8: Buffer, ends: readonly number[], dialect: Dialect): readonly (readonly string[])[] {
  const quoted: { readonly position: number; readonly bytes: Buffer }[] = [];
  let nextQuote = -1;
  let start = 0;
  const cells = ends.map((end, position): readonly string[] => {
    const from = start;
    start = end;
    if (nextQuote < from) nextQuote = utf8.indexOf(quote, from);
    if (nextQuote === -1) nextQuote = Number.POSITIVE_INFINITY;
    if (nextQuote >= end) {
      return splitLine(utf8, blankEnd(utf8, from, dialect), bodyEnd(utf8, from, end, dialect), dialect);
    }
    quoted.push({ position, bytes: utf8.subarray(from, end) });
    return [];
  });
  const parsed = parseText(joined(quoted.map(({ bytes }) => bytes)), grammar(dialect));
  quoted.forEach(({ position }, i) => (cells[position] = parsed[i] ?? []));
  return cells;
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
  const start = blankEnd(bytes, 0, dialect);
  const end = bodyEnd(bytes, start, bytes.length, dialect);
  return { lead: bytes.subarray(0, start), body: bytes.subarray(start, end), lineEnd: bytes.subarray(end) };
}

/** Where the blank lines end that stand at `start`. */
function blankEnd(bytes: Buffer, start: number, dialect: Dialect): number {
  const lineBreak = breakByte(dialect);
  let end = start;
  for (;;) {
    if (bytes[end] === lineBreak) end += 1;
    else if (lineBreak === 0x0a && bytes[end] === 0x0d && bytes[end + 1] === 0x0a) end += 2;
    else return end;
  }
}

/** Where the record from `start` to `end` ends without its line end. */
function bodyEnd(bytes: Buffer, start: number, end: number, dialect: Dialect): number {
  if (end === start || bytes[end - 1] !== breakByte(dialect)) return end;
  return dialect.lineEnd !== "\r" && end - 1 > start && bytes[end - 2] === 0x0d ? end - 2 : end - 1;
}

function countLines(bytes: Buffer, start: number, end: number, dialect: Dialect): number {
  const lineBreak = breakByte(dialect);
  let count = 0;
  for (let i = start; i < end; i += 1) if (bytes[i] === lineBreak) count += 1;
  return count;
}
