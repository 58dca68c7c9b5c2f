import { createHash } from "node:crypto";
import { type ObjectStore, probeName } from "../core/object-store.ts";
import { RowcallError, type ErrorCode } from "../core/errors.ts";
import { joinUri } from "../core/uri.ts";

/** An object as it will be, noted before it appears so that its writer knows it again should its process end in between. */
export interface ExpectedObject {
  readonly uri: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
}

/** Where a writer of outputs notes what is about to appear. */
export interface OutputMemory {
  /** What was noted last. */
  readonly expected: ExpectedObject | null;
  note(expected: ExpectedObject): void | Promise<void>;
}

/** The content of an object, which is noted after its last byte: a store shows the object only after that. */
export async function* notedContent(
  content: AsyncIterable<Uint8Array>,
  uri: string,
  { note }: OutputMemory,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of content) {
    hash.update(chunk);
    size += chunk.length;
    yield chunk;
  }
  await note({ uri, size, sha256: hash.digest("hex") });
}

/** Reads an object for its size and digest. */
export async function digestObject(store: ObjectStore, uri: string): Promise<ExpectedObject> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of store.read(uri)) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { uri, size, sha256: hash.digest("hex") };
}

/** Whether the object that was expected is there. One that may not be looked at is taken for another. */
export async function isThere(store: ObjectStore, { uri, size, sha256 }: ExpectedObject): Promise<boolean> {
  try {
    return (await store.stat(uri))?.size === size && (await digestObject(store, uri)).sha256 === sha256;
  } catch {
    return false;
  }
}

/** Whether an output names one file, or standard output (`-`), rather than a prefix under which files are made. */
export function isOutputFile(output: string): boolean {
  return output === "-" || /\.(csv|tsv|txt|jsonl|ndjson)$/i.test(output);
}

/** How a table is written. */
export type OutputFormat = "csv" | "jsonl";

/** Media types of what is written. */
export const contentTypes: Readonly<Record<OutputFormat, string>> = { csv: "text/csv", jsonl: "application/jsonl" };

const otherFormat =
  /\.(json|xlsx?|xls[mb]|ods|numbers|parquet|avro|orc|arrow|feather|xml|html?|pdf|docx?|md|ya?ml|db|sqlite3?|gz|zip|bz2|xz|zst|7z|tar)$/i;

/**
 * The format that an output's name asks for: JSON Lines for `.jsonl` and `.ndjson`, else CSV.
 *
 * @throws RowcallError USAGE_INVALID when the name promises a format that cannot be written
 */
export function outputFormat(output: string): OutputFormat {
  const [extension] = otherFormat.exec(output) ?? [];
  if (extension !== undefined) {
    throw new RowcallError("USAGE_INVALID", `The output ${output} cannot be written as ${extension}`, {
      hint: "Tables are written as CSV or JSON Lines: name a .csv or .jsonl file, or a folder with / at its end.",
    });
  }
  return /\.(jsonl|ndjson)$/i.test(output) ? "jsonl" : "csv";
}

/**
 * Makes sure that an output is not the table it is made from, whatever way the two are addressed.
 *
 * @throws RowcallError USAGE_INVALID
 */
export async function requireNotInput(store: ObjectStore, output: string, inputUri: string | undefined): Promise<void> {
  if (output === "-" || inputUri === undefined || !isOutputFile(output)) return;
  if ((await store.identify(output)) !== (await store.identify(inputUri))) return;
  throw new RowcallError("USAGE_INVALID", `The output ${output} is the input itself`, {
    hint: "Name another output: a run never writes over the table that it reads.",
  });
}

/**
 * Where an output goes: the file that is named, or `result-YYYY-MM-DD-HH-MM-SS` (UTC) under the prefix, a second later when
 * that one is taken.
 *
 * @param at - milliseconds since 1970, UTC
 * @throws RowcallError OUTPUT_EXISTS when the named file is there and may not be replaced; USAGE_INVALID as `outputFormat`
 */
export async function freeOutputUri(
  store: ObjectStore,
  output: string,
  format: OutputFormat,
  at: number,
  mayReplace: boolean,
): Promise<string> {
  outputFormat(output);
  if (isOutputFile(output)) {
    if (!mayReplace && (await isTaken(store, output))) {
      throw new RowcallError("OUTPUT_EXISTS", `The output ${output} exists already`, {
        hint: "Choose another --output, or replace it with --force.",
      });
    }
    return output;
  }
  for (let second = Math.floor(at / 1000); ; second += 1) {
    const stamp = new Date(second * 1000).toISOString().slice(0, 19).replace(/[T:]/g, "-");
    const uri = joinUri(output, `result-${stamp}.${format}`);
    if (!(await isTaken(store, uri))) return uri;
  }
}

/**
 * Makes sure that a run can write its output when its rows are done: that it is no format of others, not the input, free, and
 * in a place that can be written.
 *
 * @param at - milliseconds since 1970, UTC
 * @throws RowcallError USAGE_INVALID, OUTPUT_EXISTS, STORE_DENIED, STORE_FAILED
 */
export async function requireOutput(
  store: ObjectStore,
  { inputUri, output }: { readonly inputUri?: string | undefined; readonly output: string },
  at: number,
  mayReplace: boolean,
): Promise<void> {
  const format = outputFormat(output);
  await requireNotInput(store, output, inputUri);
  await freeOutputUri(store, output, format, at, mayReplace);
}

// Who may not look may write all the same: S3 has a permission for each, and the write itself finds out what is there.
async function isTaken(store: ObjectStore, uri: string): Promise<boolean> {
  try {
    return (await store.stat(uri)) !== undefined;
  } catch (error) {
    if (error instanceof RowcallError && error.code === "STORE_DENIED") return false;
    throw error;
  }
}

/**
 * Writes an empty object where an output will be and deletes it again, so that a place that cannot be written is found before
 * anything is spent. Who may write but not delete leaves it behind: one `.rowcall-probe`, however many runs there are.
 *
 * @throws RowcallError as the store does
 */
export async function probeOutput(store: ObjectStore, output: string): Promise<void> {
  if (output === "-") return;
  const prefix = isOutputFile(output) ? output.replace(/[^/\\]*$/, "") : output;
  const probe = joinUri(prefix, probeName);
  // Written as outputs are, since a place may be closed to what replaces. One that is there was left by such a run.
  await unless("OUTPUT_EXISTS", () =>
    store.write(probe, new Uint8Array(), { ifAbsent: true, contentType: "application/octet-stream" }),
  );
  await unless("STORE_DENIED", () => store.delete(probe));
}

async function unless(code: ErrorCode, call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof RowcallError) || error.code !== code) throw error;
  }
}
