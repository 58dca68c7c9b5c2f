import { createEncoder, byteOrderMark, type Dialect } from "./dialect.ts";
import { parseCells, splitRecord } from "./parse.ts";
import type { Cell } from "./enrich.ts";

/** One original record and its new cells. */
export interface OutputRecord {
  /** The record's bytes in UTF-8, blank lines before it and line end included. */
  readonly bytes: Buffer;
  /** How many cells the record has. */
  readonly width: number;
  readonly cells: readonly Cell[];
}

/** How a table is written. */
export interface WriterSetup {
  readonly dialect: Dialect;
  readonly includeOriginal: boolean;
  readonly formulaSafe: boolean;
  /** Cells in the widest record; shorter ones are filled up so that new columns stand under their names. */
  readonly width: number;
}

/** Turns records into the bytes of the output table. */
export interface TableWriter {
  /** Appends the header; its own surplus columns, where records are wider than it, are named `_extra_1` and so on. */
  header(record: OutputRecord): void;
  record(record: OutputRecord): void;
  /** Appends what stands after the last record: blank lines. */
  trailer(bytes: Buffer): void;
  /** Takes out what is to be written next, some hundred kilobytes; undefined unless so much has gathered. With `all`, the whole rest. */
  take(all?: boolean): Buffer | undefined;
  /** Characters that the table's encoding lacks; each was written as `?`. */
  readonly lost: ReadonlySet<string>;
  /** Whether a new cell held half of a character (a lone surrogate), which was written as U+FFFD. */
  hasHalves(): boolean;
}

const chunkBytes = 256 * 1024;
// A longer cell is written piece by piece: no copy of the whole of it is made.
const pieceLength = 64 * 1024;

/** Opens a writer for one table; the original part of each record is the input's bytes. */
export function createTableWriter(setup: WriterSetup): TableWriter {
  const { dialect, includeOriginal, formulaSafe, width } = setup;
  const encoder = createEncoder(dialect);
  let buffer = Buffer.allocUnsafe(chunkBytes * 2);
  let length = 0;
  let isFirst = true;
  let hasHalves = false;
  // What is to be written, from `used` on, and is not in the buffer yet.
  const parts: (string | Uint8Array)[] = [];
  let used = 0;

  const reserve = (bytes: number): void => {
    if (length + bytes <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, length + bytes));
    buffer.copy(larger, 0, 0, length);
    buffer = larger;
  };
  const put = (part: string | Uint8Array): void => {
    if (typeof part === "string") {
      reserve(part.length * 3);
      if (!part.isWellFormed()) hasHalves = true;
      length += buffer.write(part, length, "utf8");
    } else {
      reserve(part.length);
      buffer.set(part, length);
      length += part.length;
    }
  };
  const addCells = (cells: readonly Cell[], before: string): void => {
    let text = before;
    cells.forEach((cell, i) => {
      if (i > 0) text += dialect.delimiter;
      const written = cellText(cell, formulaSafe);
      if (written.length <= pieceLength) {
        text += quoteCell(written, dialect.delimiter);
        return;
      }
      const isPlain = !needsQuotes(written, dialect.delimiter);
      parts.push(isPlain ? text : `${text}"`);
      for (const piece of piecesOf(written)) parts.push(isPlain ? piece : doubleQuotes(piece));
      text = isPlain ? "" : '"';
    });
    parts.push(text);
  };

  const add = (record: OutputRecord, fillers: readonly string[]): void => {
    const { lead, body, lineEnd } = splitRecord(record.bytes, dialect);
    if (includeOriginal) {
      parts.push(lead, body);
      const filled = fillers.map((name) => dialect.delimiter + name).join("");
      addCells(record.cells, record.cells.length > 0 ? filled + dialect.delimiter : filled);
    } else {
      // An empty line would be no record.
      const isEmpty = record.cells.length < 2 && (record.cells[0]?.text ?? "") === "";
      addCells(record.cells, isEmpty ? '""' : "");
    }
    parts.push(lineEnd);
  };

  return {
    header: (record) => {
      const own = parseCells(record.bytes, [record.bytes.length], dialect).flat();
      const taken = new Set([...own, ...record.cells.map(({ text }) => text)]);
      add(record, includeOriginal ? surplusNames(width - record.width, taken) : []);
    },
    record: (record) => add(record, record.width < width ? Array.from({ length: width - record.width }, () => "") : []),
    trailer: (bytes) => {
      if (includeOriginal) parts.push(bytes);
    },
    take: (all = false) => {
      while (used < parts.length && (all || length < chunkBytes)) put(parts[used++] ?? "");
      if (used === parts.length) [parts.length, used] = [0, 0];
      if (length < chunkBytes && !all) return undefined;
      const utf8 = Buffer.from(buffer.subarray(0, length));
      length = 0;
      const encoded = encoder.encode(utf8);
      const chunk = isFirst ? Buffer.concat([byteOrderMark(dialect), encoded]) : encoded;
      isFirst = false;
      return chunk;
    },
    lost: encoder.lost,
    hasHalves: () => hasHalves,
  };
}

/** Names for so many columns that the header does not name, none of them taken: `_extra_1`, `_extra_2`, … */
export function surplusNames(count: number, taken: ReadonlySet<string>): string[] {
  const names: string[] = [];
  for (let n = 1; names.length < count; n += 1) if (!taken.has(`_extra_${n}`)) names.push(`_extra_${n}`);
  return names;
}

// With the full-width signs, which spreadsheets in East Asian settings read alike.
const formula = /^[=+\-@\t\r\n＝＋－＠]/;
const loneSign = /^[+-]$/;
const number = /^[+-]?[\d.,' ]*\d(?:e[+-]?\d+)? ?%?$/i;
const phone = /^\+[\d\s()./-]+(?:(?:ext\.?|x) ?\d+)?$/i;

/** Whether a spreadsheet would run a cell as a formula. */
export function isFormula(text: string): boolean {
  return formula.test(text) && !number.test(text) && !phone.test(text) && !loneSign.test(text);
}

/** A new cell's text; one that a spreadsheet would run as a formula gets an apostrophe when asked. */
export function cellText({ text, isString }: Cell, formulaSafe: boolean): string {
  return formulaSafe && isString && isFormula(text) ? `'${text}` : text;
}

/** A cell's text, quoted where the delimiter, a quote or a line break makes it necessary. */
export function quoteCell(text: string, delimiter: string): string {
  return needsQuotes(text, delimiter) ? `"${doubleQuotes(text)}"` : text;
}

function needsQuotes(text: string, delimiter: string): boolean {
  return text.includes(delimiter) || text.includes('"') || text.includes("\n") || text.includes("\r");
}

function doubleQuotes(text: string): string {
  return text.replaceAll('"', '""');
}

// No piece ends within a character.
function* piecesOf(text: string): Generator<string> {
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = start + pieceLength;
    if (highSurrogate.test(text.charAt(end - 1))) end += 1;
    yield text.slice(start, end);
  }
}

const highSurrogate = /[\uD800-\uDBFF]/;
