import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { AgentDefinition } from "../../core/agent.ts";
import type { FailureCount } from "../../core/channel.ts";
import { RowcallError } from "../../core/errors.ts";
import type { Run } from "../../core/run.ts";
import { joinUri } from "../../core/uri.ts";
import { takeOutput } from "../../core/take-output.ts";
import { createExtractor, type ExtractOutput } from "../../row/extract.ts";
import type { RunRecord } from "../local/journal.ts";
import { limitsOf, toleranceReason } from "../local/run-limits.ts";
import { toRun } from "../local/to-run.ts";
import { writeOutput } from "../local/write-output.ts";
import type { FunctionSetup } from "./function-setup.ts";
import { mapResults } from "./map-results.ts";
import { openRows } from "./open-rows.ts";
import { downloadTable, readJson, runFiles, writeJson, type RunReference } from "./run-folder.ts";
import { openStagedRun, type PreparedRun, type StagedRun } from "./staged-run.ts";

/** What the state machine asks Finish. */
export interface FinishEvent {
  readonly run: RunReference;
  /** Why the map ended before its time; null when it did not. */
  readonly stopped: { readonly Error: string; readonly Cause?: string } | null;
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
  await mkdir(directory, { recursive: true });
  try {
    const prepared = (await readJson(services.store, joinUri(reference.uri, runFiles.run))) as unknown as PreparedRun;
    await downloadTable(services.store, reference, directory);
    const staged = await openStagedRun(services.store, prepared, directory);
    try {
      await gather(setup, staged, reference, stopped === null);
      const run = await conclude(setup, staged, stopped, prepared.force);
      await services.store.write(joinUri(reference.uri, runFiles.attempts), attemptLines(staged), {
        contentType: "application/jsonl",
      });
      await writeJson(services.store, joinUri(reference.uri, runFiles.summary), run);
      const { notifications } = staged.run.batch;
      return { run, failures: staged.journal.failureCounts(staged.run.seq), notifications };
    } finally {
      await staged.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function gather(
  { services }: FunctionSetup,
  staged: StagedRun,
  reference: RunReference,
  isWhole: boolean,
): Promise<void> {
  const { journal, run } = staged;
  for await (const attempts of mapResults(services.store, reference, extractorOf(run.agent))) {
    journal.importAttempts(
      run.seq,
      attempts.map((attempt) => ({ attempt, decides: true, weight: 1 })),
    );
  }
  // Rows whose input is wrong never were in the map. Whatever else is missing from a map that was cut off is pending.
  for await (const rows of openRows(staged)) {
    const refused = rows.flatMap(({ row, number, failure }) => {
      if (failure === undefined) return [];
      const at = run.createdAt;
      const attempt = { row, number, startedAt: at, endedAt: at, outcome: failure, steps: [], artifacts: [] };
      return [{ attempt, decides: true, weight: 1 }];
    });
    journal.importAttempts(run.seq, refused);
    if (isWhole && refused.length < rows.length) {
      const [missing] = rows.filter(({ failure }) => failure === undefined);
      throw new RowcallError("UNEXPECTED", `The map of run ${run.id} says nothing of row ${missing?.row}`, {
        hint: `Look at the result files under ${joinUri(reference.uri, runFiles.results)}.`,
      });
    }
  }
  journal.recount(run.seq);
}

async function conclude(
  { services }: FunctionSetup,
  { journal, run: { id, batch }, table, selection }: StagedRun,
  stopped: FinishEvent["stopped"],
  force: boolean,
): Promise<Run> {
  const run = journal.getRun(id);
  const source = { journal, run, table, selection, warn: () => {} };
  const outputUri = await writeOutput(services, source, { output: batch.output ?? "", format: "csv", force });
  const ended = journal.updateRun(id, {
    status: stopped === null ? "succeeded" : stopped.Error === tolerance ? "stopped" : "failed",
    reason: stopped === null ? null : reasonOf(run, stopped),
    endedAt: services.clock(),
    outputUri,
  });
  return toRun(ended, ended.status, 0);
}

// Agents that are called by Step Functions itself may keep their answer elsewhere in their reply; browser agents never do.
function extractorOf(agent: AgentDefinition): ExtractOutput {
  const extract = createExtractor(agent);
  const { output, function: name } = agent.config;
  if (typeof output !== "string") return extract;
  const whose =
    agent.kind === "lambda"
      ? `the function ${typeof name === "string" ? name : ""}`
      : `the state machine of agent ${agent.agent_name}`;
  return (reply) => extract(takeOutput(output, reply, whose));
}

const tolerance = "States.ExceedToleratedFailureThreshold";

function reasonOf(run: RunRecord, { Error: error, Cause: cause }: NonNullable<FinishEvent["stopped"]>): string {
  const exceeded = error === tolerance ? toleranceReason(limitsOf(run), run.failed, run.total) : undefined;
  return exceeded ?? [error, cause].filter((part) => part !== undefined).join(": ");
}

async function* attemptLines({ journal, run, table, selection }: StagedRun): AsyncGenerator<Uint8Array> {
  for await (const block of table.blocks(selection)) {
    const results = journal.results(run.seq, block.first, block.last);
    const own = [...results].flatMap(([row, attempt]) => (attempt.row === row ? [attempt] : []));
    yield Buffer.from(own.map((attempt) => `${JSON.stringify(attempt)}\n`).join(""));
  }
}
