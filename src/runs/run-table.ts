import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { RowcallError } from "../core/errors.ts";
import type { ObjectStore } from "../core/object-store.ts";
import type { RunRecord } from "./journal.ts";
import { openTable, stagedFiles, stageTable, verifyTable, type OpenTable, type StagedTable } from "../table/staging.ts";

/** How a run's copy of its input is opened. */
export interface TableAccess {
  readonly store: ObjectStore;
  /** The run's folder. */
  readonly directory: string;
  /** Whether every byte is compared with what was staged, not the sizes alone. @default false */
  readonly verified?: boolean;
  /** Whether a damaged copy may be made anew from the input: who says so holds the run's lock. @default false */
  readonly mend?: boolean;
}

/**
 * Opens a run's copy of its input. One that is damaged or gone is made anew when that is allowed and the input is still the same.
 *
 * @throws RowcallError RUN_DAMAGED
 */
export async function openRunTable(run: RunRecord, access: TableAccess): Promise<OpenTable> {
  const { store, directory, verified = false, mend = false } = access;
  try {
    if (verified) await verifyTable(directory, run.staged);
    return await openTable(directory, run.staged);
  } catch (error) {
    if (!(error instanceof RowcallError) || error.code !== "RUN_DAMAGED") throw error;
    if (mend && (await mendTable(run, store, directory))) return openTable(directory, run.staged);
    const { id, batch } = run;
    throw new RowcallError(
      "RUN_DAMAGED",
      `The copy of its input that run ${id} works on is damaged: ${error.message}`,
      {
        hint:
          `\`rowcall show ${id}\` still tells what became of its rows. Put ${batch.inputUri ?? "the input"} back as it was, ` +
          `and \`rowcall resume ${id}\` or \`rowcall export ${id}\` makes the copy anew.`,
        cause: error,
      },
    );
  }
}

async function mendTable({ batch, staged }: RunRecord, store: ObjectStore, directory: string): Promise<boolean> {
  const { inputUri, dialect } = batch;
  if (inputUri === undefined) return false;
  const fresh = join(directory, "mended");
  try {
    if (!isSame(await stageTable(() => store.read(inputUri), dialect, fresh), staged)) return false;
    for (const name of stagedFiles) await rename(join(fresh, name), join(directory, name));
    return true;
  } catch {
    // The input is gone or is no table any more: the damage is what is told.
    return false;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

function isSame(one: StagedTable, other: StagedTable): boolean {
  const identity = ({ sha256, size, rows, headerEnd, width }: StagedTable): string =>
    JSON.stringify([sha256, size, rows, headerEnd, width]);
  return identity(one) === identity(other);
}
