import { join } from "node:path";
import { rm } from "node:fs/promises";
import type { Attempt } from "../../core/attempt.ts";
import type { RowSelection } from "../../core/engine.ts";
import type { ErrorCode } from "../../core/errors.ts";
import type { ObjectStore } from "../../core/object-store.ts";
import { joinUri } from "../../core/uri.ts";
import { chooseRows } from "../choose-rows.ts";
import { inputKeys } from "../local/execute.ts";
import { Journal, type NewRun, type RunRecord } from "../local/journal.ts";
import { openTable, type OpenTable } from "../local/staging.ts";
import { readLines, runFiles, type RunReference } from "./run-folder.ts";

/** A run as Prepare leaves it for Finish. */
export interface PreparedRun {
  readonly run: NewRun;
  /** Whether an output file that exists is replaced. */
  readonly force: boolean;
  /** The run that this one goes on with. */
  readonly earlier?: EarlierRun;
}

/** What is taken over of an earlier run, and what is attempted again. */
export interface EarlierRun extends RunReference {
  /** `failed`: its failed rows, and those it never came to; `pending`: only the latter. */
  readonly again: "failed" | "pending";
  /** Of the failed rows, those with these codes only. */
  readonly codes?: readonly ErrorCode[];
}

/** A run's table and journal on the local disk of a function. */
export interface StagedRun {
  readonly journal: Journal;
  readonly run: RunRecord;
  readonly table: OpenTable;
  readonly selection: RowSelection;
  close(): Promise<void>;
}

/**
 * Opens a run over its staged table: a journal with what earlier runs have decided, and with which rows are the same.
 *
 * @param directory - holds the staged table, and the journal as long as it is open
 */
export async function openStagedRun(
  store: ObjectStore,
  { run: prepared, earlier }: PreparedRun,
  directory: string,
): Promise<StagedRun> {
  const journal = new Journal(join(directory, "journal.db"));
  const run = journal.createRun(prepared);
  const table = await openTable(directory, run.staged);
  const { selection } = chooseRows(run.staged.rows, run.request.rows, run.request.limit);
  if (earlier !== undefined) {
    await importAttempts(store, journal, run, earlier);
    if (earlier.again === "failed")
      journal.reopenFailed(run.seq, earlier.codes === undefined ? {} : { codes: earlier.codes });
  }
  if (run.batch.execution.dedupe) await journal.noteDuplicates(run.seq, inputKeys({ run, table, selection }));
  return {
    journal,
    run,
    table,
    selection,
    close: async () => {
      await table.close();
      journal.close();
      await rm(join(directory, "journal.db"), { force: true });
    },
  };
}

async function importAttempts(
  store: ObjectStore,
  journal: Journal,
  run: RunRecord,
  { uri }: RunReference,
): Promise<void> {
  for await (const lines of readLines(store, joinUri(uri, runFiles.attempts))) {
    journal.importAttempts(
      run.seq,
      lines.map((line) => ({ attempt: line as unknown as Attempt, decides: true, weight: 1 })),
    );
  }
}
