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
  /** Takes out what is ready to be written; undefined unless enough has gathered or `all` is asked for. */
  take(all?: boolean): Buffer | undefined;
  /** Characters that the table's encoding lacks; each was written as `?`. */
  readonly lost: ReadonlySet<string>;
  /** Whether a new cell held half of a character (a lone surrogate), which was written as U+FFFD. */
  hasHalves(): boolean;
}

const chunkBytes = 256 * 1024;

/** Opens a writer for one table; the original part of each record is the input's bytes. */
export function createTableWriter(setup: WriterSetup): TableWriter {
  const { dialect, includeOriginal, width } = setup;
  const encoder = createEncoder(dialect);
  let buffer = Buffer.allocUnsafe(chunkBytes * 2);
  let length = 0;
  let isFirst = true;
  let hasHalves = false;

  const reserve = (bytes: number): void => {
    if (length + bytes <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, length + bytes));
    buffer.copy(larger, 0, 0, length);
    buffer = larger;
  };
  const addBytes = (bytes: Uint8Array): void => {
    reserve(bytes.length);
    buffer.set(bytes, length);
    length += bytes.length;
  };
  const addText = (text: string): void => {
    reserve(text.length * 3);
    if (!text.isWellFormed()) hasHalves = true;
    length += buffer.write(text, length, "utf8");
  };
  const newCells = (cells: readonly Cell[]): string =>
    cells.map((cell) => writeCell(cell, setup)).join(dialect.delimiter);

  const add = (record: OutputRecord, fillers: readonly string[]): void => {
    const { lead, body, lineEnd } = splitRecord(record.bytes, dialect);
    const cells = newCells(record.cells);
    if (includeOriginal) {
      addBytes(lead);
      addBytes(body);
      addText(fillers.map((name) => dialect.delimiter + name).join(""));
      if (record.cells.length > 0) addText(dialect.delimiter + cells);
    } else {
      // An empty line would be no record.
      addText(cells === "" ? '""' : cells);
    }
    addBytes(lineEnd);
  };

  return {
    header: (record) => {
      const own = parseCells(record.bytes, [record.bytes.length], dialect).flat();
      const taken = new Set([...own, ...record.cells.map(({ text }) => text)]);
      add(record, includeOriginal ? surplusNames(width - record.width, taken) : []);
    },
    record: (record) => add(record, record.width < width ? Array.from({ length: width - record.width }, () => "") : []),
    trailer: (bytes) => {
      if (includeOriginal) addBytes(bytes);
    },
    take: (all = false) => {
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

function isFormula(text: string): boolean {
  return formula.test(text) && !number.test(text) && !phone.test(text) && !loneSign.test(text);
}

function writeCell(cell: Cell, { dialect, formulaSafe }: WriterSetup): string {
  return quoteCell(cellText(cell, formulaSafe), dialect.delimiter);
}

/** A new cell's text; one that a spreadsheet would run as a formula gets an apostrophe when asked. */
export function cellText({ text, isString }: Cell, formulaSafe: boolean): string {
  return formulaSafe && isString && isFormula(text) ? `'${text}` : text;
}

/** A cell's text, quoted where the delimiter, a quote or a line break makes it necessary. */
export function quoteCell(text: string, delimiter: string): string {
  const plain = !text.includes(delimiter) && !text.includes('"') && !text.includes("\n") && !text.includes("\r");
  return plain ? text : `"${text.replaceAll('"', '""')}"`;
}
