import { join } from "node:path";
import { rm } from "node:fs/promises";
import type { Attempt } from "../../core/attempt.ts";
import type { RerunChoice, RunLimits } from "../../core/engine.ts";
import type { ObjectStore } from "../../core/object-store.ts";
import { joinUri } from "../../core/uri.ts";
import { Journal, type NewRun } from "../../runs/journal.ts";
import { noteDuplicates, openRun, type OpenRun } from "../../runs/open-run.ts";
import { openTable } from "../../table/staging.ts";
import { readJsonIfThere, readLines, runFiles, type RunReference } from "./run-folder.ts";

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

/**
 * Opens a run over its staged table: a journal with what earlier runs have decided, and with which rows are the same.
 *
 * @param directory - holds the staged table, and the journal as long as it is open
 */
export async function openStagedRun(
  store: ObjectStore,
  { run: prepared, earlier }: Pick<PreparedRun, "run" | "earlier">,
  directory: string,
): Promise<OpenRun> {
  const journal = new Journal(join(directory, "journal.db"), "scratch");
  const run = journal.createRun(prepared);
  const { id, seq } = run;
  const open = openRun(journal, run, await openTable(directory, run.staged));
  if (earlier !== undefined) {
    await importAttempts(store, journal, seq, earlier);
    if (earlier.again === "failed") journal.reopenFailed(seq, earlier);
  }
  await noteDuplicates(open);
  journal.recount(seq);
  return {
    ...open,
    run: journal.getRun(id),
    close: async () => {
      await open.close();
      journal.close();
      await rm(join(directory, "journal.db"), { force: true });
    },
  };
}

async function importAttempts(store: ObjectStore, journal: Journal, seq: number, { uri }: RunReference): Promise<void> {
  for await (const lines of readLines(store, joinUri(uri, runFiles.attempts)))
    journal.importAttempts(seq, lines as unknown as readonly Attempt[]);
}

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
