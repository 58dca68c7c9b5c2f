import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { RowcallError } from "../../core/errors.ts";
import type { JsonValue } from "../../core/json.ts";
import { joinUri } from "../../core/uri.ts";
import { batchOfInput } from "../batch-input.ts";
import { loadBatch } from "../load-batch.ts";
import { freeOutputUri, probeOutput } from "../output-uri.ts";
import { resolveAgent } from "../resolve-agent.ts";
import { createRunId, requirePlaces, stageRun } from "../local/new-run.ts";
import { readExecutionInput } from "./execution-input.ts";
import type { FunctionSetup } from "./function-setup.ts";
import { openRows } from "./open-rows.ts";
import { requireRunSize } from "./run-size.ts";
import { runFiles, uploadTable, writeJson, type RunReference } from "./run-folder.ts";
import { rowSettings } from "./row-settings.ts";
import type { RowSettings, RowTarget } from "./row-definition.ts";
import { openStagedRun, type PreparedRun, type StagedRun } from "./staged-run.ts";

/** What the state machine asks Prepare. */
export interface PrepareEvent {
  /** ARN of the execution. */
  readonly execution: string;
  /** Milliseconds since 1970, UTC. */
  readonly started_at: number;
  /** The execution's input. */
  readonly input: JsonValue;
}

/** What Prepare tells the state machine. */
export interface Plan {
  readonly run: RunReference;
  readonly bucket: string;
  readonly rows_key: string;
  readonly results_prefix: string;
  /** Rows that are to be attempted. */
  readonly rows: number;
  readonly target: RowTarget;
  readonly max_concurrency: number;
  /** Of the rows that are to be attempted. */
  readonly tolerated_failure_percentage: number;
  readonly tolerated_failure_count: number;
  readonly batch: RowSettings;
  /** Topic of the batch, for failures that no function can put into words. */
  readonly notification_topic?: string;
}

// Step Functions starts no more children of a map at once.
const mostConcurrency = 10_000;

/**
 * Checks an execution's batch, agent and table, and stages the rows that are to be attempted.
 *
 * Asked twice by the same execution it prepares the same run.
 *
 * @throws RowcallError for anything wrong with batch, agent, input or output, before a row has run
 */
export async function prepareRun(setup: FunctionSetup, event: PrepareEvent): Promise<Plan> {
  const { services, workDirectory, runsUri } = setup;
  const id = runIdOf(event);
  const directory = join(workDirectory, id);
  const { input, choice } = readExecutionInput(event.input);
  const batch = await loadBatch(services, JSON.stringify(batchOfInput(input)), {}, ["input", "output"]);
  const { output } = requirePlaces({ batch });
  const agent = await resolveAgent(services, batch);
  const settings = await rowSettings(setup, batch, agent.definition, id);
  await freeOutputUri(services.store, output, "csv", services.clock(), choice.force === true);
  await probeOutput(services.store, output);
  try {
    await mkdir(directory, { recursive: true });
    const reference: RunReference = { id, uri: joinUri(runsUri, id) };
    const { earlier, force = false, ...chosen } = choice;
    const run = await stageRun({
      services,
      dataDirectory: workDirectory,
      recordingsPrefix: setup.recordingsPrefix,
      directory,
      id,
      request: { batch, ...chosen },
      agent,
    });
    requireRunSize(run.total);
    const prepared: PreparedRun = {
      run: { ...run, name: null },
      force,
      ...(earlier === undefined ? {} : { earlier: { ...earlier, uri: joinUri(runsUri, earlier.id) } }),
    };
    await uploadTable(services.store, directory, reference);
    await writeJson(services.store, joinUri(reference.uri, runFiles.run), prepared);
    const staged = await openStagedRun(services.store, prepared, directory);
    try {
      const counts: RowCount = { rows: 0, refused: 0 };
      await services.store.write(joinUri(reference.uri, runFiles.rows), linesOf(staged, counts), {
        contentType: "application/jsonl",
      });
      return planOf(staged, reference, counts, settings);
    } finally {
      await staged.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function runIdOf({ execution, started_at: startedAt }: PrepareEvent): string {
  const digest = createHash("sha256").update(execution).digest();
  return createRunId({ clock: () => startedAt, random: () => digest.readUInt32BE() / 2 ** 32 });
}

interface RowCount {
  rows: number;
  /** Rows that cannot be mapped: they fail without an attempt. */
  refused: number;
}

async function* linesOf(staged: StagedRun, counts: RowCount): AsyncGenerator<Uint8Array> {
  for await (const rows of openRows(staged)) {
    const lines = rows.flatMap(({ row, number, input }) =>
      input === undefined ? [] : [{ row, attempt: number, input }],
    );
    counts.rows += lines.length;
    counts.refused += rows.length - lines.length;
    yield Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  }
}

function planOf(
  { run }: StagedRun,
  reference: RunReference,
  counts: RowCount,
  { target, settings }: Awaited<ReturnType<typeof rowSettings>>,
): Plan {
  const { bucket, key } = s3Place(reference.uri);
  const { execution, notifications } = run.batch;
  const topic = notifications.onFailure
    ? notifications.channels.find((address) => /^arn:[\w-]+:sns:/.test(address))
    : undefined;
  return {
    run: reference,
    bucket,
    rows_key: `${key}/${runFiles.rows}`,
    results_prefix: `${key}/${runFiles.results}`,
    rows: counts.rows,
    target,
    max_concurrency: Math.min(execution.maxConcurrency, mostConcurrency),
    tolerated_failure_percentage: 100,
    tolerated_failure_count: toleratedCount(run, counts),
    batch: settings,
    ...(topic === undefined ? {} : { notification_topic: topic }),
  };
}

// The map knows only the rows that are attempted; those refused before count as failed as well.
function toleratedCount({ batch, total }: StagedRun["run"], { rows, refused }: RowCount): number {
  const { toleratedFailureCount, toleratedFailurePercentage } = batch.execution;
  const count = toleratedFailureCount ?? Number.POSITIVE_INFINITY;
  const share = Math.floor(((toleratedFailurePercentage ?? Number.POSITIVE_INFINITY) * total) / 100);
  return Math.max(0, Math.min(rows, count - refused, share - refused));
}

function s3Place(uri: string): { readonly bucket: string; readonly key: string } {
  const [, bucket = "", key = ""] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
  if (bucket !== "") return { bucket, key };
  throw new RowcallError("USAGE_INVALID", `Runs cannot be kept in ${uri}: Step Functions reads S3 only`, {
    hint: "Set RUNS_URI to a prefix such as s3://bucket/runs/.",
  });
}
