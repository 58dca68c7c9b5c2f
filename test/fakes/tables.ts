import fc from "fast-check";
import type { InputDialect } from "../../src/core/batch.ts";
import { detectDialect, toUtf8, type Dialect } from "../../src/table/dialect.ts";
import { parseRecords, type ParsedRecord } from "../../src/table/parse.ts";

/** Encodings that tables of tests are written in; the ones with a mark begin with it. */
export type Encoding = "utf-8" | "utf-8-mark" | "utf-16le-mark" | "utf-16be-mark" | "windows-1252";

/** One record as it stands in a table, and what it says. */
export interface WrittenRecord {
  /** Blank lines before it. */
  readonly lead: string;
  readonly body: string;
  readonly lineEnd: string;
  readonly cells: readonly string[];
  /** 1-based line on which it begins. */
  readonly line: number;
}

/** A table in every detail that a reader could lose. */
export interface Table {
  readonly encoding: Encoding;
  readonly delimiter: Dialect["delimiter"];
  /** The header first. */
  readonly records: readonly WrittenRecord[];
  /** Blank lines after the last record. */
  readonly trailer: string;
}

/** Text in the bytes of an encoding, without a mark. */
export function encode(text: string, encoding: Encoding): Buffer {
  switch (encoding) {
    case "utf-8":
    case "utf-8-mark":
      return Buffer.from(text, "utf8");
    case "utf-16le-mark":
      return Buffer.from(text, "utf16le");
    case "utf-16be-mark":
      return Buffer.from(text, "utf16le").swap16();
    case "windows-1252":
      return Buffer.from(text.replaceAll("€", "\x80"), "latin1");
  }
}

/** A whole table's bytes. */
export function bytesOf({ encoding, records, trailer }: Table): Buffer {
  const text = records.map(({ lead, body, lineEnd }) => lead + body + lineEnd).join("") + trailer;
  return encode(`${encoding.endsWith("-mark") ? "\uFEFF" : ""}${text}`, encoding);
}

/** What a user who knows the table would set. */
export function dialectOf({ encoding, delimiter }: Table): InputDialect {
  return {
    delimiter,
    encoding: encoding.replace("-mark", "") as NonNullable<InputDialect["encoding"]>,
    ragged: "keep",
  };
}

/** Bytes in pieces of these sizes, over and over; how a file or a socket may deliver them. */
export async function* inPieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? bytes.length;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** A table's dialect, its text as UTF-8, and its records, the header first. */
export interface ReadTable {
  readonly dialect: Dialect;
  readonly utf8: Buffer;
  readonly records: readonly ParsedRecord[];
}

/** Reads a table as an engine does. */
export async function readTable(
  bytes: Uint8Array,
  given: InputDialect = { ragged: "fail" },
  sizes: readonly number[] = [bytes.length || 1],
): Promise<ReadTable> {
  const dialect = await detectDialect(inPieces(bytes, sizes), given);
  const utf8 = Buffer.concat(await Array.fromAsync(toUtf8(inPieces(bytes, sizes), dialect)));
  const records = (await Array.fromAsync(parseRecords(toUtf8(inPieces(bytes, sizes), dialect), dialect))).flat();
  return { dialect, utf8, records };
}

/** The bytes of each record and what follows the last one. */
export function recordBytes({ utf8, records }: ReadTable): {
  readonly bytes: readonly Buffer[];
  readonly trailer: Buffer;
} {
  const starts = [0, ...records.map(({ end }) => end)];
  return { bytes: records.map(({ end }, i) => utf8.subarray(starts[i], end)), trailer: utf8.subarray(starts.at(-1)) };
}

/** Sizes of the pieces that bytes come in, single bytes often among them. */
export const pieceSizes: fc.Arbitrary<readonly number[]> = fc.oneof(
  fc.constant([1]),
  fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
  fc.constant([1_000_000]),
);

/** Text with everything in it that CSV, spreadsheets and encodings stumble over. */
export function cellText(encoding: Encoding): fc.Arbitrary<string> {
  const pieces = ["a", "7", "00", " ", ",", ";", "\t", "|", '"', "\n", "\r\n", "\r", "é", "€", "=", "'"];
  const more = encoding === "windows-1252" ? [] : ["😀", "日", "\uFEFF"];
  return fc.array(fc.constantFrom(...pieces, ...more), { maxLength: 5 }).map((parts) => parts.join(""));
}

interface Style {
  readonly delimiter: string;
  readonly lineEnds: readonly string[];
  readonly isHeader: boolean;
}

function written(text: string, quoted: boolean, isAlone: boolean, { delimiter, lineEnds, isHeader }: Style): string {
  // A quote within an unquoted cell is an ordinary character.
  const mayHoldQuotes = !isHeader && !lineEnds.includes("\r");
  const isPlain =
    !text.includes(delimiter) && !/[\r\n]/.test(text) && (mayHoldQuotes ? !text.startsWith('"') : !text.includes('"'));
  return !isPlain || quoted || (isAlone && text === "") ? `"${text.replaceAll('"', '""')}"` : text;
}

const lineEndings: readonly (readonly string[])[] = [["\n"], ["\r\n"], ["\n", "\r\n"], ["\r"]];

/** Tables in every dialect: cells quoted without need, blank lines, ragged records, mixed line ends, no final newline. */
export const tables: fc.Arbitrary<Table> = fc
  .record({
    encoding: fc.constantFrom<Encoding[]>("utf-8", "utf-8-mark", "utf-16le-mark", "utf-16be-mark", "windows-1252"),
    delimiter: fc.constantFrom<Dialect["delimiter"][]>(",", ";", "\t", "|"),
    lineEnds: fc.constantFrom(...lineEndings),
    width: fc.integer({ min: 1, max: 4 }),
  })
  .chain(({ encoding, delimiter, lineEnds, width }) => {
    const cell = fc.tuple(cellText(encoding), fc.boolean());
    const lineEnd = fc.constantFrom(...lineEnds);
    const blank = fc.oneof(
      { weight: 4, arbitrary: fc.constant("") },
      fc.array(lineEnd, { maxLength: 2 }).map((ends) => ends.join("")),
    );
    const record = (isRagged: boolean): fc.Arbitrary<{ lead: string; cells: [string, boolean][]; lineEnd: string }> =>
      fc.record({
        lead: blank,
        cells: fc.array(
          cell,
          isRagged ? { minLength: 1, maxLength: width + 2 } : { minLength: width, maxLength: width },
        ),
        lineEnd,
      });
    const rows = fc.array(fc.oneof({ weight: 3, arbitrary: record(false) }, record(true)), { maxLength: 6 });
    const named = record(false).map((header) => {
      const [[text, quoted] = ["", false], ...others] = header.cells;
      // A first letter, so that the header is not blank and U+FEFF in its first cell is not taken for a mark.
      return { ...header, cells: [[`h${text}`, quoted] as [string, boolean], ...others] };
    });
    return fc.tuple(named, rows, blank, fc.boolean()).map(([header, others, trailer, endsOpen]): Table => {
      const counted = lineEnds.includes("\r") ? "\r" : "\n";
      let line = 1;
      const records = [header, ...others].map(({ lead, cells, lineEnd: end }, i): WrittenRecord => {
        const style = { delimiter, lineEnds, isHeader: i === 0 };
        const body = cells.map(([text, quoted]) => written(text, quoted, cells.length === 1, style)).join(delimiter);
        const isOpen = endsOpen && i === others.length;
        const beginsOn = line + lead.split(counted).length - 1;
        line = beginsOn + body.split(counted).length;
        return { lead, body, lineEnd: isOpen ? "" : end, cells: cells.map(([text]) => text), line: beginsOn };
      });
      return { encoding, delimiter, records, trailer: endsOpen ? "" : trailer };
    });
  });
