import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { RowcallError } from "../../core/errors.ts";
import type { JsonValue } from "../../core/json.ts";
import type { ObjectStore } from "../../core/object-store.ts";
import { joinUri } from "../../core/uri.ts";
import { batchOfInput, loadBatch } from "../../runs/load-batch.ts";
import { privateFolder } from "../../core/private-modes.ts";
import { probeOutput, requireOutput } from "../../runs/output-uri.ts";
import { resolveAgent } from "../../attempt/resolve-agent.ts";
import type { NewRun } from "../../runs/journal.ts";
import { requireRunnable, stageRun } from "../../runs/new-run.ts";
import { pendingRows, type OpenRun } from "../../runs/open-run.ts";
import { readExecutionInput } from "./execution-input.ts";
import type { FunctionSetup } from "./function-setup.ts";
import { readJson, runFiles, uploadTable, writeJson, type RunReference } from "./run-folder.ts";
import { requireRunSize } from "./cost.ts";
import { rowSettings } from "./row-settings.ts";
import { runIdOf } from "./found-run.ts";
import type { RowSettings, RowTarget } from "./row-definition.ts";
import { openStagedRun, toleratedRows, type PreparedRun } from "./staged-run.ts";

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
  const id = runIdOf(event.execution, event.started_at);
  const directory = join(workDirectory, id);
  const { input, choice } = readExecutionInput(event.input);
  const batch = requireRunnable(await loadBatch(services, batchOfInput(input), {}, ["input", "output"]));
  const agent = await resolveAgent(services, batch);
  const settings = await rowSettings(setup, batch, agent.definition, id);
  await requireOutput(services.store, batch, services.clock(), choice.force === true);
  await probeOutput(services.store, batch.output);
  try {
    await mkdir(directory, { recursive: true, mode: privateFolder });
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
    if (earlier !== undefined) await requireSameTable(services.store, joinUri(runsUri, earlier.id), run);
    const prepared: Omit<PreparedRun, "counts"> = {
      run: { ...run, name: null },
      execution: event.execution,
      force,
      ...(earlier === undefined ? {} : { earlier: { ...earlier, uri: joinUri(runsUri, earlier.id) } }),
    };
    await uploadTable(services.store, directory, reference);
    const staged = await openStagedRun(services.store, prepared, directory);
    try {
      const counts: RowCount = { rows: 0, refused: 0 };
      await services.store.write(joinUri(reference.uri, runFiles.rows), linesOf(staged, counts), {
        contentType: "application/jsonl",
      });
      const { succeeded, failed } = staged.run;
      const known = { ...prepared, counts: { ...counts, succeeded, failed } } satisfies PreparedRun;
      await writeJson(services.store, joinUri(reference.uri, runFiles.run), known);
      return planOf(staged, reference, counts, settings);
    } finally {
      await staged.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

// What is known of rows is known by their place in the table.
async function requireSameTable(store: ObjectStore, earlier: string, run: NewRun): Promise<void> {
  const before = (await readJson(store, joinUri(earlier, runFiles.run))) as unknown as PreparedRun;
  if (before.run.staged.sha256 === run.staged.sha256) return;
  throw new RowcallError(
    "RUN_CONFLICT",
    `The input ${run.batch.inputUri} is not the one that run ${before.run.id} read`,
    {
      hint: "Put the table back as it was, or start a new run.",
    },
  );
}

interface RowCount {
  rows: number;
  refused: number;
}

async function* linesOf(staged: OpenRun, counts: RowCount): AsyncGenerator<Uint8Array> {
  for await (const rows of pendingRows(staged)) {
    const lines = rows.flatMap(({ row, number, mapped }) =>
      "input" in mapped ? [{ row, attempt: number, input: mapped.input }] : [],
    );
    counts.rows += lines.length;
    counts.refused += rows.length - lines.length;
    yield Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  }
}

function planOf(
  { run }: OpenRun,
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
    tolerated_failure_count: toleratedRows(run.batch.execution, run.total, counts),
    batch: settings,
    ...(topic === undefined ? {} : { notification_topic: topic }),
  };
}

function s3Place(uri: string): { readonly bucket: string; readonly key: string } {
  const [, bucket = "", key = ""] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
  if (bucket !== "") return { bucket, key };
  throw new RowcallError("USAGE_INVALID", `Runs cannot be kept in ${uri}: Step Functions reads S3 only`, {
    hint: "Set RUNS_URI to a prefix such as s3://bucket/runs/.",
  });
}
