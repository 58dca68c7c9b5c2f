import { pathToFileURL } from "node:url";
import type { Batch } from "../core/batch.ts";
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
