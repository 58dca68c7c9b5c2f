import { isUtf8 } from "node:buffer";
import { parse as parseText } from "csv-parse/sync";
import { RowcallError } from "../core/errors.ts";
import type { InputDialect } from "../core/batch.ts";

/** How a table is written down. */
export interface Dialect {
  readonly encoding: "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";
  /** Whether a byte order mark stands first; it is written again. */
  readonly bom: boolean;
  readonly delimiter: "," | ";" | "\t" | "|";
  /** Line end of the header, used for what we write. */
  readonly lineEnd: "\r\n" | "\n" | "\r";
  readonly ragged: "fail" | "pad" | "keep";
}

const delimiters = [",", ";", "\t", "|"] as const;
const sampleBytes = 256 * 1024;
const marks = [
  { encoding: "utf-8", bytes: [0xef, 0xbb, 0xbf] },
  { encoding: "utf-16le", bytes: [0xff, 0xfe] },
  { encoding: "utf-16be", bytes: [0xfe, 0xff] },
] as const;

/**
 * Finds out how a table is written down: reads it once, whole, because one late byte decides between UTF-8 and Windows-1252.
 *
 * @param given - what the user has set is taken as it is
 * @throws RowcallError INPUT_EMPTY when there is nothing but blank lines; INPUT_MALFORMED when it is a file of another kind,
 * such as a workbook
 */
export async function detectDialect(source: AsyncIterable<Uint8Array>, given: InputDialect): Promise<Dialect> {
  const { sample, isWholeUtf8 } = await readSample(source);
  refuseOtherKinds(sample);
  const mark = marks.find(({ bytes }) => bytes.every((byte, i) => sample[i] === byte));
  const encoding = given.encoding ?? mark?.encoding ?? encodingWithoutMark(sample, isWholeUtf8);
  const bom = mark?.encoding === encoding;
  const text = new TextDecoder(encoding).decode(sample);
  if (text.trim() === "" && sample.length < sampleBytes) throw emptyInput();
  const lineEnd = lineEndOf(text);
  const delimiter = given.delimiter ?? detectDelimiter(text, lineEnd);
  return { encoding, bom, delimiter, lineEnd, ragged: given.ragged };
}

/** What a table without a header comes to. */
export function emptyInput(): RowcallError {
  return new RowcallError("INPUT_EMPTY", "The input is empty: it has no header", {
    hint: "The first line must name the columns.",
  });
}

const otherKinds = [
  { what: "an Excel workbook or another ZIP archive", start: "PK\u0003\u0004" },
  { what: "an old Excel workbook", start: "\u00d0\u00cf\u0011\u00e0" },
  { what: "compressed by gzip", start: "\u001f\u008b\b" },
  { what: "a PDF", start: "%PDF-" },
  { what: "a Parquet file", start: "PAR1\u0015" },
  { what: "a program", start: "\u007fELF" },
] as const;

// Read as text, such a file would be a table of nonsense that costs money to run.
function refuseOtherKinds(sample: Buffer): void {
  const start = sample.toString("latin1", 0, 8);
  const kind = otherKinds.find((other) => start.startsWith(other.start));
  if (kind === undefined) return;
  throw new RowcallError("INPUT_MALFORMED", `The input is not a table: it is ${kind.what}`, {
    hint: "Save or unpack it as CSV. Nothing has been run.",
  });
}

/**
 * The table's text as UTF-8 without its mark, whatever it is written in. UTF-8 passes byte for byte, valid or not.
 *
 * @throws RowcallError INPUT_ENCODING when UTF-16 input is damaged, since it could not be written back as it was
 */
export async function* toUtf8(source: AsyncIterable<Uint8Array>, dialect: Dialect): AsyncGenerator<Uint8Array> {
  if (dialect.encoding === "utf-8") {
    yield* dialect.bom ? skipBytes(source, 3) : source;
    return;
  }
  const decoder = new TextDecoder(dialect.encoding, { fatal: true });
  let read = 0;
  try {
    for await (const chunk of source) {
      read += chunk.length;
      const text = decoder.decode(chunk, { stream: true });
      if (text !== "") yield Buffer.from(text, "utf8");
    }
    const rest = decoder.decode();
    if (rest !== "") yield Buffer.from(rest, "utf8");
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new RowcallError(
      "INPUT_ENCODING",
      `The input is not valid ${dialect.encoding} (within the first ${read} bytes)`,
      {
        hint: 'Save the table as UTF-8, or set "encoding" in the batch file\'s input.',
        cause,
      },
    );
  }
}

/** Turns UTF-8 text into the table's own encoding. */
export interface Encoder {
  encode(utf8: Buffer): Buffer;
  /** Characters so far that the encoding lacks; each was written as `?`. */
  readonly lost: ReadonlySet<string>;
}

/** An encoder from UTF-8 to the dialect's encoding. */
export function createEncoder(dialect: Dialect): Encoder {
  const lost = new Set<string>();
  switch (dialect.encoding) {
    case "utf-8":
      return { lost, encode: (utf8) => utf8 };
    case "utf-16le":
      return { lost, encode: (utf8) => Buffer.from(utf8.toString("utf8"), "utf16le") };
    case "utf-16be":
      return { lost, encode: (utf8) => Buffer.from(utf8.toString("utf8"), "utf16le").swap16() };
    case "windows-1252":
      return { lost, encode: (utf8) => encodeWindows1252(utf8.toString("utf8"), lost) };
  }
}

/** The byte order mark the dialect begins with; empty when it has none. */
export function byteOrderMark(dialect: Dialect): Uint8Array {
  const mark = dialect.bom ? marks.find(({ encoding }) => encoding === dialect.encoding) : undefined;
  return Uint8Array.from(mark?.bytes ?? []);
}

async function readSample(source: AsyncIterable<Uint8Array>): Promise<{ sample: Buffer; isWholeUtf8: boolean }> {
  const head: Uint8Array[] = [];
  let headBytes = 0;
  let isWholeUtf8 = true;
  let carry = Buffer.alloc(0);
  for await (const chunk of source) {
    if (headBytes < sampleBytes) {
      head.push(chunk);
      headBytes += chunk.length;
    }
    if (!isWholeUtf8) continue;
    const bytes =
      carry.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat([carry, chunk]);
    const cut = completeUtf8Length(bytes);
    isWholeUtf8 = isUtf8(bytes.subarray(0, cut));
    carry = Buffer.from(bytes.subarray(cut));
  }
  const sample = Buffer.concat(head).subarray(0, sampleBytes);
  return { sample, isWholeUtf8: isWholeUtf8 && isUtf8(carry) };
}

// A chunk may end inside a character: leave its first bytes to the next chunk.
function completeUtf8Length(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function encodingWithoutMark(sample: Uint8Array, isWholeUtf8: boolean): Dialect["encoding"] {
  const head = sample.subarray(0, 4096);
  const zeros = [0, 0];
  head.forEach((byte, i) => {
    if (byte === 0) zeros[i % 2] = (zeros[i % 2] ?? 0) + 1;
  });
  const [even = 0, odd = 0] = zeros;
  if (odd > head.length / 8 && even === 0) return "utf-16le";
  if (even > head.length / 8 && odd === 0) return "utf-16be";
  return isWholeUtf8 ? "utf-8" : "windows-1252";
}

function lineEndOf(text: string): Dialect["lineEnd"] {
  // Only a quote that begins a cell opens one; the sample may end inside of it.
  const outside = text.replace(/(^|[,;\t|\r\n])"(?:[^"]|"")*(?:"|$)/g, "$1");
  if (outside.includes("\r\n")) return outside.indexOf("\n") < outside.indexOf("\r\n") ? "\n" : "\r\n";
  return !outside.includes("\n") && outside.includes("\r") ? "\r" : "\n";
}

// The delimiter under which most of the first records have the header's width, and that width is the largest.
function detectDelimiter(text: string, lineEnd: Dialect["lineEnd"]): Dialect["delimiter"] {
  let best: Dialect["delimiter"] = ",";
  let bestScore = 0;
  for (const delimiter of delimiters) {
    const widths = firstWidths(text, delimiter, lineEnd);
    const width = widths[0] ?? 1;
    if (width < 2) continue;
    const score = (widths.filter((w) => w === width).length / widths.length) * 1000 + width;
    if (score > bestScore) [best, bestScore] = [delimiter, score];
  }
  return best;
}

function firstWidths(text: string, delimiter: string, lineEnd: Dialect["lineEnd"]): number[] {
  const widths: number[] = [];
  try {
    parseText(text, {
      delimiter,
      record_delimiter: recordDelimiters(lineEnd),
      relax_quotes: true,
      relax_column_count: true,
      skip_empty_lines: true,
      to: 100,
      on_record: (record: string[]) => {
        widths.push(record.length);
        return null;
      },
    });
  } catch {
    // The sample ends inside a quoted cell: what was counted so far decides.
  }
  return widths;
}

/** What ends a record. A lone carriage return is data, except in files that have no other line end. */
export function recordDelimiters(lineEnd: Dialect["lineEnd"]): string[] {
  return lineEnd === "\r" ? ["\r"] : ["\r\n", "\n"];
}

async function* skipBytes(source: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const chunk of source) {
    const skipped = Math.min(left, chunk.length);
    left -= skipped;
    if (chunk.length > skipped) yield chunk.subarray(skipped);
  }
}

const windows1252 = new Map(
  Array.from(
    new TextDecoder("windows-1252").decode(Uint8Array.from({ length: 256 }, (_, byte) => byte)),
    (char, byte) => [char, byte],
  ),
);

function encodeWindows1252(text: string, lost: Set<string>): Buffer {
  const bytes: number[] = [];
  for (const char of text) {
    const byte = windows1252.get(char);
    if (byte === undefined) lost.add(char);
    bytes.push(byte ?? 0x3f);
  }
  return Buffer.from(bytes);
}
