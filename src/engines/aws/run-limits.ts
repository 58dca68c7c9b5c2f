import type { RunLimits } from "../../core/engine.ts";
import type { ObjectStore } from "../../core/object-store.ts";
import { joinUri } from "../../core/uri.ts";
import { readJsonIfThere, runFiles, type RunReference } from "./run-folder.ts";
import type { PreparedRun } from "./staged-run.ts";

/**
 * How many rows may fail in the map of a run, which knows only the rows that are attempted: those refused before count as failed too.
 *
 * @param total - rows of the run
 */
export function toleratedRows(
  { toleratedFailureCount, toleratedFailurePercentage }: Partial<RunLimits>,
  total: number,
  { rows, refused }: Pick<PreparedRun["counts"], "rows" | "refused">,
): number {
  const count = toleratedFailureCount ?? Number.POSITIVE_INFINITY;
  const share =
    toleratedFailurePercentage === undefined
      ? Number.POSITIVE_INFINITY
      : Math.floor((toleratedFailurePercentage * total) / 100);
  return Math.max(0, Math.min(rows, count - refused, share - refused));
}

/** Limits of a run that were changed since it was prepared; undefined when none were. */
export async function readLimits(store: ObjectStore, { uri }: RunReference): Promise<Partial<RunLimits> | undefined> {
  const found = await readJsonIfThere(store, joinUri(uri, runFiles.limits));
  return found as Partial<RunLimits> | undefined;
}
