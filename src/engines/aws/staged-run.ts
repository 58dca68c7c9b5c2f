import { join } from "node:path";
import { rm } from "node:fs/promises";
import type { Attempt } from "../../core/attempt.ts";
import type { RerunChoice, RowSelection } from "../../core/engine.ts";
import type { ObjectStore } from "../../core/object-store.ts";
import { joinUri } from "../../core/uri.ts";
import { chooseRows, inputKeys } from "../../runs/new-run.ts";
import { Journal, type NewRun, type RunRecord } from "../../runs/journal.ts";
import { openTable, type OpenTable } from "../../table/staging.ts";
import { readLines, runFiles, type RunReference } from "./run-folder.ts";

/** A run as Prepare leaves it for Finish. */
export interface PreparedRun {
  readonly run: NewRun;
  /** ARN of the execution that does it. */
  readonly execution: string;
  readonly counts: {
    /** Rows that the map attempts. */
    readonly rows: number;
    /** Rows that cannot be mapped: they fail without an attempt. */
    readonly refused: number;
    /** Rows that an earlier run has decided. */
    readonly succeeded: number;
    readonly failed: number;
  };
  /** Whether an output file that exists is replaced. */
  readonly force: boolean;
  /** The run that this one goes on with. */
  readonly earlier?: EarlierRun;
}

/** What is taken over of an earlier run, and what is attempted again. */
export interface EarlierRun extends RunReference, RerunChoice {
  /** `failed`: its failed rows, and those it never came to; `pending`: only the latter. */
  readonly again: "failed" | "pending";
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
  { run: prepared, earlier }: Pick<PreparedRun, "run" | "earlier">,
  directory: string,
): Promise<StagedRun> {
  const journal = new Journal(join(directory, "journal.db"), "scratch");
  const run = journal.createRun(prepared);
  const table = await openTable(directory, run.staged);
  const { selection } = chooseRows(run.staged.rows, run.request.rows, run.request.limit);
  if (earlier !== undefined) {
    await importAttempts(store, journal, run, earlier);
    if (earlier.again === "failed") journal.reopenFailed(run.seq, earlier);
  }
  if (run.batch.execution.dedupe) await journal.noteDuplicates(run.seq, inputKeys({ run, table, selection }));
  journal.recount(run.seq);
  return {
    journal,
    run: journal.getRun(run.id),
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
