import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { FailureCount } from "../../core/channel.ts";
import type { Warning } from "../../core/errors.ts";
import type { FailureSummary } from "../../core/engine.ts";
import type { Run } from "../../core/run.ts";
import { joinUri } from "../../core/uri.ts";
import { privateFolder } from "../../core/private-modes.ts";
import type { RunRecord } from "../../runs/journal.ts";
import { limitsOf, toleranceReason, toRun } from "../../runs/run-limits.ts";
import { outputRequest, writeOutput } from "../../runs/finish.ts";
import type { OpenRun } from "../../runs/open-run.ts";
import { failuresOf } from "../../runs/survey-run.ts";
import type { FunctionSetup } from "./function-setup.ts";
import { answerSource, gather, refuse, writeAttempts, mapResults } from "./gather-attempts.ts";
import { downloadTable, openOutputMemory, readJson, runFiles, writeJson, type RunReference } from "./run-folder.ts";
import { openStagedRun, readLimits, type PreparedRun } from "./staged-run.ts";

/** What the state machine asks Finish. */
export interface FinishEvent {
  readonly run: RunReference;
  /** Why the map ended before its time; null when it did not. */
  readonly stopped: { readonly Error: string; readonly Cause?: string } | null;
}

/** What a run leaves behind in {@link runFiles}`.summary`. */
export interface RunSummary {
  readonly run: Run;
  readonly warnings: readonly Warning[];
  /** Absent of a run that an earlier version finished. */
  readonly failures?: readonly FailureSummary[];
}

/** A run that has been written. */
export interface FinishedRun {
  readonly run: Run;
  /** Most frequent first. */
  readonly failures: readonly FailureCount[];
  readonly notifications: PreparedRun["run"]["batch"]["notifications"];
}

/**
 * Puts the results of a run's rows in order and writes the enriched table, in constant memory: what is known is gathered in a journal
 * on the function's disk, from which the same code writes as on one machine.
 *
 * @throws RowcallError when something cannot be read or written
 */
export async function finishRun(setup: FunctionSetup, { run: reference, stopped }: FinishEvent): Promise<FinishedRun> {
  const { services, workDirectory } = setup;
  const directory = join(workDirectory, reference.id);
  await mkdir(directory, { recursive: true, mode: privateFolder });
  try {
    const prepared = (await readJson(services.store, joinUri(reference.uri, runFiles.run))) as unknown as PreparedRun;
    await downloadTable(services.store, reference, directory);
    const staged = await openStagedRun(services.store, prepared, directory);
    try {
      await gather(staged, mapResults(reference, answerSource(services.store, staged.run)));
      await refuse(staged, stopped === null ? reference : undefined);
      const limits = await readLimits(services.store, reference);
      if (limits !== undefined) staged.journal.adjustRun(staged.run.id, limits);
      const summary = await conclude(setup, staged, reference, stopped, prepared.force);
      await writeAttempts(services.store, staged, reference);
      await writeJson(services.store, joinUri(reference.uri, runFiles.summary), summary);
      const failures = summary.failures.map(({ code, count }) => ({ code, count }));
      return { run: summary.run, failures, notifications: staged.run.batch.notifications };
    } finally {
      await staged.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function conclude(
  { services }: FunctionSetup,
  staged: OpenRun,
  reference: RunReference,
  stopped: FinishEvent["stopped"],
  force: boolean,
): Promise<Required<RunSummary>> {
  const { journal } = staged;
  const run = journal.getRun(staged.run.id);
  const memory = await openOutputMemory(services.store, reference);
  const written = await writeOutput(services, { ...staged, run }, { ...outputRequest(run), force }, memory);
  const ended = journal.updateRun(run.id, {
    status: stopped === null ? "succeeded" : stopped.Error === tolerance ? "stopped" : "failed",
    reason: stopped === null ? null : reasonOf(run, stopped),
    endedAt: services.clock(),
    outputUri: written.uri,
  });
  const failures = await failuresOf({ ...staged, run });
  return { run: toRun(ended, ended.status, 0), warnings: written.warnings, failures };
}

const tolerance = "States.ExceedToleratedFailureThreshold";

function reasonOf(run: RunRecord, { Error: error, Cause: cause }: NonNullable<FinishEvent["stopped"]>): string {
  const exceeded = error === tolerance ? toleranceReason(limitsOf(run), run.failed, run.total) : undefined;
  return exceeded ?? [error, cause].filter((part) => part !== undefined).join(": ");
}
