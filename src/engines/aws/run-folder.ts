import { createReadStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { RowcallError } from "../../core/errors.ts";
import { parseJson, type JsonValue } from "../../core/json.ts";
import type { ObjectStore } from "../../core/object-store.ts";
import { joinUri } from "../../core/uri.ts";
import { privateFile, privateFolder } from "../../core/private-modes.ts";
import type { ExpectedObject, OutputMemory } from "../../runs/output-uri.ts";
import { stagedFiles } from "../../table/staging.ts";

/** Which run the functions of the batch processor speak of. */
export interface RunReference {
  readonly id: string;
  /** Prefix of everything that the run keeps, without a slash at its end. */
  readonly uri: string;
}

/** What a run keeps in the object store, by name under its prefix. */
export const runFiles = {
  /** The run as it was prepared, as JSON. */
  run: "run.json",
  /** One line for each row that is to be attempted. */
  rows: "rows.jsonl",
  /** Prefix of what the map writes. */
  results: "results",
  /** One line for each attempt that decided a row, in order of the rows. */
  attempts: "attempts.jsonl",
  /** The run as it ended and what a reader of its output should know, as JSON. */
  summary: "summary.json",
  /** What the output will be, noted before it appears, as JSON. */
  writing: "writing.json",
  /** Limits that were changed since, as JSON. */
  limits: "limits.json",
  /** Which run goes on with this one, as JSON. */
  next: "next.json",
} as const;

/** What a run notes of the one that goes on with it. */
export interface NextRun {
  readonly id: string;
}

/** Puts a staged table's files beside the run. */
export async function uploadTable(store: ObjectStore, directory: string, { uri }: RunReference): Promise<void> {
  for (const name of stagedFiles) {
    await store.write(joinUri(uri, name), createReadStream(join(directory, name)), {
      contentType: "application/octet-stream",
    });
  }
}

/** Fetches what {@link uploadTable} has put there. */
export async function downloadTable(store: ObjectStore, { uri }: RunReference, directory: string): Promise<void> {
  for (const name of stagedFiles) await download(store, joinUri(uri, name), join(directory, name));
}

async function download(store: ObjectStore, uri: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: privateFolder });
  await writeFile(path, store.read(uri), { mode: privateFile });
}

/** Writes a value as JSON. */
export async function writeJson(store: ObjectStore, uri: string, value: object): Promise<void> {
  await store.write(uri, Buffer.from(JSON.stringify(value)), { contentType: "application/json" });
}

/** Reads a value from JSON. */
export async function readJson(store: ObjectStore, uri: string): Promise<JsonValue> {
  return JSON.parse(Buffer.concat(await Array.fromAsync(store.read(uri))).toString("utf8")) as JsonValue;
}

/**
 * Reads a value from JSON; undefined when there is none.
 *
 * Of who may not list, S3 hides what is not there as if it were forbidden.
 */
export async function readJsonIfThere(store: ObjectStore, uri: string): Promise<JsonValue | undefined> {
  try {
    return await readJson(store, uri);
  } catch (error) {
    if (error instanceof RowcallError && (error.code === "STORE_NOT_FOUND" || error.code === "STORE_DENIED"))
      return undefined;
    throw error;
  }
}

/** Where a run on AWS notes its output: should Finish be cut off and asked again, it knows what it has written. */
export async function openOutputMemory(store: ObjectStore, { uri }: RunReference): Promise<OutputMemory> {
  const place = joinUri(uri, runFiles.writing);
  const expected = (await readJsonIfThere(store, place)) as unknown as ExpectedObject | undefined;
  return { expected: expected ?? null, note: (next) => writeJson(store, place, next) };
}

// Enough that a group of lines is worth a transaction.
const groupBytes = 512 * 1024;

/** The lines of an object as JSON values, some hundreds at a time; never more than a few in memory. */
export async function* readLines(store: ObjectStore, uri: string): AsyncGenerator<readonly JsonValue[]> {
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of store.read(uri)) {
    held.push(chunk);
    size += chunk.length;
    if (size < groupBytes || chunk.lastIndexOf(lineFeed) === -1) continue;
    const bytes = Buffer.concat(held);
    const end = bytes.lastIndexOf(lineFeed) + 1;
    yield parseLines(bytes.subarray(0, end));
    held = [bytes.subarray(end)];
    size = bytes.length - end;
  }
  if (size > 0) yield parseLines(Buffer.concat(held));
}

const lineFeed = 0x0a;

function parseLines(bytes: Buffer): JsonValue[] {
  return bytes
    .toString("utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map(parseJson);
}
