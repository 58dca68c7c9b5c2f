import { pathToFileURL } from "node:url";
import type { Batch } from "../core/batch.ts";
import type { ObjectStore } from "../core/object-store.ts";
import type { Run } from "../core/run.ts";
import { joinUri, schemeOf } from "../core/uri.ts";

/**
 * Where the recordings of a run are kept, or of an attempt outside a run: under the batch's prefix, else under the usual one. Always
 * a URI: it stands in cells, where a plain path would be no link.
 *
 * @param usual - path or URI
 * @param name - id of the run, or what stands in its place
 */
export function recordingsUri(batch: Pick<Batch, "recording">, usual: string, name: string): string {
  const prefix = batch.recording.prefix ?? usual;
  const isPath = schemeOf(prefix) === "file" && !prefix.startsWith("file:");
  return joinUri(isPath ? pathToFileURL(prefix).href : prefix, name);
}

/** Whether a run has left recordings, as far as can be seen; it names their place in any case. */
export async function hasRecordings(
  store: ObjectStore,
  { recordingsUri: uri }: Pick<Run, "recordingsUri">,
): Promise<boolean> {
  if (uri === undefined) return false;
  try {
    for await (const _first of store.list(`${uri}/`)) return true;
    return false;
  } catch {
    // Who may write there may not be allowed to list: that is no failure of the run.
    return true;
  }
}
