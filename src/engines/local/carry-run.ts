import type { ExportRequest, RunObserver, WrittenTable } from "../../core/engine.ts";
import { messageOf } from "../../core/errors.ts";
import type { Run } from "../../core/run.ts";
import { explainDatabaseError } from "../../runs/database-errors.ts";
import { explainTaken, outputRequest, writeOutput } from "../../runs/finish.ts";
import type { RunRecord } from "../../runs/journal.ts";
import { noteDuplicates } from "../../runs/open-run.ts";
import type { OutputMemory } from "../../runs/output-uri.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { executeRows } from "./execute.ts";
import type { LocalRuns } from "./local-runs.ts";
import { tellChannels, type NotifySetup } from "./notify.ts";
import type { Ending } from "./run-control.ts";
import { tellProgress } from "./tell-progress.ts";

/** What carrying out a run takes. */
export interface CarrySetup {
  readonly runs: LocalRuns;
  /** Closed by who opened it. */
  readonly dispatcher: Dispatcher;
  readonly observer: RunObserver;
  /** Whether the process that ran it last died unasked. @default false */
  readonly isAfterCrash?: boolean;
}

/**
 * Carries out a run that is staged: its pending rows, then its output, then who is told.
 *
 * @param before - as the journal has it; who calls holds the run's lock
 */
export async function carryRun(setup: CarrySetup, before: RunRecord): Promise<Run> {
  const { runs, observer } = setup;
  const run = beginRun(setup, before);
  observer.onEvent?.({ type: "started", run: runs.toRunning(run) });
  try {
    return await concludeRun(setup, run.id, await runRows(setup, run));
  } catch (error) {
    await noteFailure(setup, run.id, error);
    throw explainDatabaseError(error);
  }
}

function beginRun({ runs, dispatcher, isAfterCrash = false }: CarrySetup, { id, seq }: RunRecord): RunRecord {
  const { journal } = runs;
  if (!dispatcher.outlivesProcess) journal.abandonAttempts(seq, isAfterCrash);
  journal.waits.end(seq);
  journal.recount(seq);
  return journal.updateRun(id, { status: "running", stopRequested: false, reason: null, endedAt: null });
}

async function runRows(setup: CarrySetup, run: RunRecord): Promise<Ending> {
  const { runs, observer, dispatcher, isAfterCrash = false } = setup;
  const { services, limitsChanged } = runs;
  const open = await runs.open(run);
  const progress = tellProgress(run, runs.toRunning, services, observer);
  try {
    await noteDuplicates(open);
    const onProgress = progress.update;
    return await executeRows({ open, dispatcher, services, observer, isAfterCrash, limitsChanged, onProgress });
  } finally {
    progress.stop();
    await open.close();
  }
}

async function concludeRun({ runs, observer }: CarrySetup, id: string, ending: Ending): Promise<Run> {
  const { journal, services } = runs;
  const endedAt = services.clock();
  const { status, reason = null } = ending;
  if (status === "interrupted") return runs.toRun(journal.updateRun(id, { status, reason, endedAt }));
  const run = journal.getRun(id);
  const memory: OutputMemory = {
    expected: run.writing,
    note: (writing) => void journal.updateRun(id, { writing }),
  };
  const { uri: outputUri, warnings } = await explainTaken(
    id,
    writeRun(runs, run, outputRequest(run), { mend: true, memory }),
  );
  for (const warning of warnings) observer.onEvent?.({ type: "warning", ...warning });
  const before = run.outputUri === null ? [] : [run.outputUri];
  const record = journal.updateRun(id, {
    status: status === "finished" ? "succeeded" : "stopped",
    reason,
    endedAt,
    outputUri,
    outputs: [...new Set([...(run.outputs ?? []), ...before, outputUri])],
  });
  // It came while the last rows were in flight, and is not to hold up a later rerun.
  if (record.status === "succeeded" && record.limits?.paused === true) journal.adjustRun(id, { paused: undefined });
  const ended = runs.toRun(record);
  observer.onEvent?.({ type: "progress", run: ended });
  await tellChannels(notifySetup(runs, record, observer));
  return ended;
}

// What ended the run may keep the journal from being written too; then the run counts as interrupted.
async function noteFailure({ runs, observer }: CarrySetup, id: string, error: unknown): Promise<void> {
  const { journal, services } = runs;
  try {
    const endedAt = services.clock();
    const record = journal.updateRun(id, { status: "failed", reason: messageOf(error), endedAt });
    await tellChannels(notifySetup(runs, record, observer));
  } catch (second) {
    if (explainDatabaseError(second) === second) throw second;
  }
}

/** Writes the table of a run, from a copy of its input that is found to be whole. */
export async function writeRun(
  runs: LocalRuns,
  run: RunRecord,
  request: ExportRequest,
  { mend, memory }: { readonly mend: boolean; readonly memory?: OutputMemory },
): Promise<WrittenTable> {
  const open = await runs.open(run, { verified: true, mend });
  try {
    return await writeOutput(runs.services, open, request, memory);
  } finally {
    await open.close();
  }
}

/** Whom to tell of a run as it stands. */
export function notifySetup(runs: LocalRuns, record: RunRecord, observer: RunObserver): NotifySetup {
  const { services, journal } = runs;
  const warn: NotifySetup["warn"] = (message, hint) => observer.onEvent?.({ type: "warning", message, hint });
  return { services, journal, record, run: runs.toRun(record), warn };
}
