import { RowcallError, type ErrorCode } from "../core/errors.ts";
import { probeName, type ObjectStore } from "../core/object-store.ts";
import { joinUri } from "../core/uri.ts";

/** Whether an output names one file, or standard output (`-`), rather than a prefix under which files are made. */
export function isOutputFile(output: string): boolean {
  return output === "-" || /\.(csv|tsv|txt|jsonl|ndjson)$/i.test(output);
}

/**
 * Where an output goes: the file that is named, or `result-YYYY-MM-DD-HH-MM-SS` (UTC) under the prefix, a second later when
 * that one is taken.
 *
 * @param at - milliseconds since 1970, UTC
 * @throws RowcallError OUTPUT_EXISTS when the named file is there and may not be replaced
 */
export async function freeOutputUri(
  store: ObjectStore,
  output: string,
  extension: "csv" | "jsonl",
  at: number,
  mayReplace: boolean,
): Promise<string> {
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
    const uri = joinUri(output, `result-${stamp}.${extension}`);
    if (!(await isTaken(store, uri))) return uri;
  }
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
