import { RowcallError } from "../core/errors.ts";
import type { ObjectStore } from "../core/object-store.ts";
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
    if (!mayReplace && (await store.stat(output)) !== undefined) {
      throw new RowcallError("OUTPUT_EXISTS", `The output ${output} exists already`, {
        hint: "Choose another --output, or replace it with --force.",
      });
    }
    return output;
  }
  for (let second = Math.floor(at / 1000); ; second += 1) {
    const stamp = new Date(second * 1000).toISOString().slice(0, 19).replace(/[T:]/g, "-");
    const uri = joinUri(output, `result-${stamp}.${extension}`);
    if ((await store.stat(uri)) === undefined) return uri;
  }
}

/**
 * Writes a small object where an output will be and deletes it again, so that a place that cannot be written is found before
 * anything is spent.
 *
 * @throws RowcallError as the store does
 */
export async function probeOutput(store: ObjectStore, output: string, random: () => number): Promise<void> {
  if (output === "-") return;
  const prefix = isOutputFile(output) ? output.replace(/[^/\\]*$/, "") : output;
  const probe = joinUri(prefix, `.rowcall-probe-${Math.floor(random() * 36 ** 6).toString(36)}`);
  await store.write(probe, new Uint8Array(), { contentType: "application/octet-stream" });
  await store.delete(probe);
}
