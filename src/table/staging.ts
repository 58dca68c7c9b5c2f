import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, RowcallError } from "../core/errors.ts";
import type { InputDialect } from "../core/batch.ts";
import type { RowSelection } from "../core/engine.ts";
import type { Row } from "../core/row.ts";
import { detectDialect, emptyInput, toUtf8, type Dialect } from "./dialect.ts";
import { parseCells, parseRecords, type ParsedRecord } from "./parse.ts";
import { privateFile, privateFolder } from "../core/private-modes.ts";

/** A run's own copy of its input, as UTF-8, with an index of its records. Plain JSON, as the journal keeps it. */
export interface StagedTable {
  readonly header: readonly string[];
  /** Bytes of the header record, line end included. */
  readonly headerEnd: number;
  /** Records after the header. */
  readonly rows: number;
  /** Cells in the widest record. */
  readonly width: number;
  /** Bytes of the whole copy; what follows the last record is blank. */
  readonly size: number;
  readonly dialect: Dialect;
  /** Digest of the input's original bytes. */
  readonly sha256: string;
  /** Digests of the copy's files; runs of earlier versions have none. */
  readonly digests?: readonly string[];
}

/** Files of a staged table in its folder. */
export const stagedFiles = ["table.csv", "table.index"] as const;
const [tableFile, indexFile] = stagedFiles;
// Per row: offset of its end (float64), line on which it begins and number of its cells (uint32 each).
const entryBytes = 16;
const blockRows = 1000;
const blockBytes = 1024 * 1024;

/**
 * Copies a table into a run's folder and checks its grammar from the first to the last byte.
 *
 * @param read - opens the input anew; it is read twice
 * @throws RowcallError INPUT_EMPTY, INPUT_ENCODING, INPUT_MALFORMED, before anything has been spent
 */
export async function stageTable(
  read: () => AsyncIterable<Uint8Array>,
  given: InputDialect,
  directory: string,
): Promise<StagedTable> {
  const dialect = await detectDialect(read(), given);
  await mkdir(directory, { recursive: true, mode: privateFolder });
  const copy = await open(join(directory, tableFile), "w", privateFile);
  const index = await open(join(directory, indexFile), "w", privateFile);
  try {
    return await copyAndIndex(read(), dialect, copy, index);
  } finally {
    await copy.close();
    await index.close();
  }
}

async function copyAndIndex(
  source: AsyncIterable<Uint8Array>,
  dialect: Dialect,
  copy: FileHandle,
  index: FileHandle,
): Promise<StagedTable> {
  const hash = createHash("sha256");
  const copyHash = createHash("sha256");
  const indexHash = createHash("sha256");
  let size = 0;
  async function* tee(): AsyncGenerator<Uint8Array> {
    for await (const chunk of toUtf8(hashing(source, hash), dialect)) {
      await copy.writeFile(chunk);
      copyHash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  }

  let header: ParsedRecord | undefined;
  let rows = 0;
  let width = 0;
  for await (const records of parseRecords(tee(), dialect)) {
    const entries = Buffer.allocUnsafe(records.length * entryBytes);
    let used = 0;
    for (const record of records) {
      width = Math.max(width, record.cells.length);
      if (header === undefined) {
        header = record;
        continue;
      }
      entries.writeDoubleLE(record.end, used);
      entries.writeUInt32LE(record.line, used + 8);
      entries.writeUInt32LE(record.cells.length, used + 12);
      used += entryBytes;
      rows += 1;
    }
    await index.writeFile(entries.subarray(0, used));
    indexHash.update(entries.subarray(0, used));
  }
  if (header === undefined) throw emptyInput();
  await copy.sync();
  await index.sync();
  return {
    header: header.cells,
    headerEnd: header.end,
    rows,
    width,
    size,
    dialect,
    sha256: hash.digest("hex"),
    digests: [copyHash.digest("hex"), indexHash.digest("hex")],
  };
}

async function* hashing(
  source: AsyncIterable<Uint8Array>,
  hash: { update(chunk: Uint8Array): unknown },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}

/** One record of a staged table. */
export interface RowSlice {
  readonly index: number;
  /** How many cells it has. */
  readonly width: number;
  /** Blank lines before it, the record, its line end; UTF-8. */
  readonly bytes: Buffer;
}

/** Consecutive rows, read together. */
export interface Block {
  /** Index of the first row. */
  readonly first: number;
  /** Index of the last row. */
  readonly last: number;
  /** The rows with their cells. */
  rows(): readonly Row[];
  /** The rows with their bytes. */
  slices(): Generator<RowSlice>;
}

/** A staged table, open for reading. */
export interface OpenTable {
  /** The chosen rows in order, some hundreds at a time. */
  blocks(selection: RowSelection): AsyncGenerator<Block>;
  /** The 1-based line of the input on which a row begins. */
  lineOf(row: number): Promise<number>;
  header(): Promise<Buffer>;
  /** What follows the last record. */
  trailer(): Promise<Buffer>;
  close(): Promise<void>;
}

/**
 * Reads all of what `stageTable` wrote and compares it with what it should be.
 *
 * @throws RowcallError RUN_DAMAGED
 */
export async function verifyTable(directory: string, { digests = [] }: StagedTable): Promise<void> {
  for (const [i, digest] of digests.entries()) {
    const name = stagedFiles[i] ?? "";
    const hash = createHash("sha256");
    try {
      for await (const chunk of createReadStream(join(directory, name))) hash.update(chunk as Buffer);
    } catch (cause) {
      throw damaged(`${name} cannot be read: ${messageOf(cause)}`, cause);
    }
    if (hash.digest("hex") !== digest) throw damaged(`${name} is not what was written`);
  }
}

async function openWhole(directory: string, name: string, size: number): Promise<FileHandle> {
  const file = await open(join(directory, name), "r").catch((cause: unknown) => {
    throw damaged(`${name} cannot be read: ${messageOf(cause)}`, cause);
  });
  const there = (await file.stat()).size;
  if (there === size) return file;
  await file.close();
  throw damaged(`${name} has ${there} bytes in place of ${size}`);
}

function damaged(what: string, cause?: unknown): RowcallError {
  return new RowcallError("RUN_DAMAGED", what, { cause });
}

/**
 * Opens what `stageTable` wrote.
 *
 * @throws RowcallError RUN_DAMAGED when it is gone or not as long as it was
 */
export async function openTable(directory: string, staged: StagedTable): Promise<OpenTable> {
  const copy = await openWhole(directory, tableFile, staged.size);
  const index = await openWhole(directory, indexFile, staged.rows * entryBytes).catch(async (error: unknown) => {
    await copy.close();
    throw error;
  });
  const bytesOf = async (file: FileHandle, from: number, to: number): Promise<Buffer> => {
    const buffer = Buffer.allocUnsafe(to - from);
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, from + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  };
  const entryOf = (row: number): Promise<Buffer> => bytesOf(index, row * entryBytes, (row + 1) * entryBytes);
  const endOf = async (row: number): Promise<number> =>
    row < 0 ? staged.headerEnd : (await entryOf(row)).readDoubleLE(0);

  async function* blocks(selection: RowSelection): AsyncGenerator<Block> {
    for (const [first, last] of selection) {
      let start = await endOf(first - 1);
      for (let row = first; row <= last;) {
        const many = Math.min(blockRows, last - row + 1);
        const entries = await bytesOf(index, row * entryBytes, (row + many) * entryBytes);
        const count = rowsWithin(entries, start);
        const end = entries.readDoubleLE((count - 1) * entryBytes);
        yield createBlock(
          row,
          entries.subarray(0, count * entryBytes),
          await bytesOf(copy, start, end),
          start,
          staged.dialect,
        );
        start = end;
        row += count;
      }
    }
  }
  return {
    blocks,
    lineOf: async (row) => (await entryOf(row)).readUInt32LE(8),
    header: () => bytesOf(copy, 0, staged.headerEnd),
    trailer: async () => bytesOf(copy, await endOf(staged.rows - 1), staged.size),
    close: async () => {
      await copy.close();
      await index.close();
    },
  };
}

function rowsWithin(entries: Buffer, start: number): number {
  let count = 1;
  while (count * entryBytes < entries.length && entries.readDoubleLE(count * entryBytes) - start <= blockBytes)
    count += 1;
  return count;
}

function createBlock(first: number, entries: Buffer, bytes: Buffer, start: number, dialect: Dialect): Block {
  const count = entries.length / entryBytes;
  const endOf = (i: number): number => (i < 0 ? 0 : entries.readDoubleLE(i * entryBytes) - start);
  const lineOf = (i: number): number => entries.readUInt32LE(i * entryBytes + 8);
  const widthOf = (i: number): number => entries.readUInt32LE(i * entryBytes + 12);
  return {
    first,
    last: first + count - 1,
    rows: () => {
      const ends = Array.from({ length: count }, (_, i) => endOf(i));
      return parseCells(bytes, ends, dialect).map((cells, i) => ({ index: first + i, line: lineOf(i), cells }));
    },
    *slices() {
      for (let i = 0; i < count; i += 1) {
        yield { index: first + i, width: widthOf(i), bytes: bytes.subarray(endOf(i - 1), endOf(i)) };
      }
    },
  };
}
