import type { Batch, InputMapping } from "../../core/batch.ts";
import type { JsonObject } from "../../core/json.ts";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RowcallError } from "../../core/errors.ts";
import type { ObjectStore } from "../../core/object-store.ts";
import type { Services } from "../../core/services.ts";
import { baseName, joinUri, schemeOf } from "../../core/uri.ts";
import { stageRun, type RunnableRequest } from "../../runs/new-run.ts";
import { digestObject, isOutputFile, probeOutput, requireOutput } from "../../runs/output-uri.ts";
import { resolveAgent } from "../../attempt/resolve-agent.ts";
import type { RunChoice } from "./execution-input.ts";
import { requireStepFunctions } from "./row-settings.ts";
import { requireRunSize } from "./cost.ts";

/**
 * A batch as the value of a batch file, for who runs it elsewhere: read again it is the same batch. The name stays out, which belongs
 * to the run, and so does where attempts are made.
 */
export function batchDocument(batch: Batch): JsonObject {
  const { agent, dialect, inputUri, outputMapping, execution, notifications, recording } = batch;
  const { retry, rateLimit } = execution;
  return withoutUndefined({
    agent_name: agent.name,
    agent_version: agent.version,
    agent_state_machine_arn: batch.agentStateMachineArn,
    agent_config: batch.agentConfig,
    input: { ...dialect, uri: inputUri },
    output: batch.output,
    input_mapping: inputMapping(batch.inputMapping),
    output_mapping: {
      structured_output_fields: outputMapping.fields,
      include_original: outputMapping.includeOriginal,
      add_metadata: outputMapping.addMetadata,
      metadata_columns: outputMapping.metadataColumns,
      rename: outputMapping.rename,
      formula_safe: outputMapping.formulaSafe,
    },
    execution_config: {
      max_concurrency: execution.maxConcurrency,
      timeout_seconds: execution.timeoutSeconds,
      retry_strategy: {
        max_attempts: retry.maxAttempts,
        backoff_rate: retry.backoffRate,
        interval_seconds: retry.intervalSeconds,
        max_delay_seconds: retry.maxDelaySeconds,
        jitter_strategy: retry.jitterStrategy,
        retry_on: retry.retryOn,
        do_not_retry_on: retry.doNotRetryOn,
      },
      tolerated_failure_percentage: execution.toleratedFailurePercentage,
      tolerated_failure_count: execution.toleratedFailureCount,
      dedupe: execution.dedupe,
      heartbeat_seconds: execution.heartbeatSeconds,
      rate_limit: rateLimit && { requests_per_second: rateLimit.requestsPerSecond, per: rateLimit.per },
    },
    notification_config: {
      success_notification: notifications.onSuccess,
      failure_notification: notifications.onFailure,
      channels: notifications.channels,
    },
    recording,
  });
}

function inputMapping({ selection, columns, transformations, staticValues }: InputMapping): object {
  return {
    // Given even when it is empty: without it every column would be passed.
    column_mappings: columns.map((mapping) => ({
      csv_column: mapping.column,
      agent_input_field: mapping.field,
      required: mapping.required,
      default: mapping.default,
    })),
    include_columns: selection.kind === "include" ? selection.columns : undefined,
    exclude_columns: selection.kind === "exclude" ? selection.columns : undefined,
    transformations: Object.fromEntries(transformations.map(({ field, ...how }) => [field, how])),
    static_values: staticValues,
  };
}

function withoutUndefined(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}

/** What an execution of the batch processor is started with. */
export interface BatchInput {
  readonly config_s3_uri: string;
  readonly input_csv_s3_uri: string;
  readonly output_s3_prefix: string;
  readonly rowcall: RunChoice;
}

/** An input, and what has to be in S3 before it can be used. */
export interface PackedBatch {
  readonly input: BatchInput;
  /** Where the output goes on this machine; undefined when it stays in S3. */
  readonly localOutput?: string;
  readonly uploads: readonly Upload[];
}

interface Upload {
  readonly uri: string;
  /** Bytes. */
  readonly size: number;
  readonly contentType: string;
  content(): Uint8Array | AsyncIterable<Uint8Array>;
}

/**
 * Checks a batch as far as that can be done from here, before anything is sent: all of it when its table is on this machine.
 *
 * @throws RowcallError as the local engine does; AGENT_INVALID, BATCH_INVALID for what AWS cannot do
 */
export async function checkBatch(services: Services, request: RunnableRequest, id: string): Promise<void> {
  const { batch } = request;
  const { inputUri, output } = batch;
  const agent = await resolveAgent(services, batch);
  requireStepFunctions(batch, agent.definition);
  const { prefix } = batch.recording;
  if (prefix !== undefined && isLocal(prefix)) {
    throw new RowcallError("BATCH_INVALID", `Recordings cannot go to ${prefix}: AWS does not see this machine`, {
      hint: "Set recording.prefix to an s3:// prefix, or leave it out.",
    });
  }
  await requireOutput(services.store, batch, services.clock(), request.force === true);
  if (isLocal(output)) await probeOutput(services.store, output);
  if (!isLocal(inputUri)) return requireInput(services.store, inputUri);
  const directory = await mkdtemp(join(tmpdir(), "rowcall-check-"));
  const places = { dataDirectory: directory, directory, recordingsPrefix: prefix ?? directory };
  try {
    requireRunSize((await stageRun({ services, ...places, id, request, agent })).total);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Turns a batch into an execution's input. What lies on this machine gets a place in the bucket that is named after its bytes, so that it
 * is sent once, and so that the same batch has the same input.
 *
 * @param root - `s3://bucket`
 * @param name - of the execution
 */
export async function packBatch(
  store: ObjectStore,
  root: string,
  name: string,
  request: RunnableRequest,
  earlier?: RunChoice["earlier"],
): Promise<PackedBatch> {
  const { batch, rows, limit, force } = request;
  const { inputUri, output } = batch;
  const config = packConfig(root, batch);
  const table = isLocal(inputUri) ? await packTable(store, root, inputUri) : undefined;
  return {
    input: {
      config_s3_uri: config.uri,
      input_csv_s3_uri: table?.uri ?? inputUri,
      output_s3_prefix: isLocal(output) ? remoteOutput(root, name, output) : output,
      rowcall: { rows, limit, ...(force === true ? { force } : {}), earlier },
    },
    localOutput: isLocal(output) ? output : undefined,
    uploads: [config, ...(table === undefined ? [] : [table])],
  };
}

/** Sends what is not there yet. */
export async function upload(store: ObjectStore, uploads: PackedBatch["uploads"]): Promise<void> {
  for (const { uri, size, contentType, content } of uploads) {
    const found = await unlessDenied(() => store.stat(uri));
    if (found?.size !== size) await store.write(uri, content(), { contentType });
  }
}

/** Whether two inputs ask for the same run; replacing an output file is no part of what is asked. */
export function isSameInput(one: BatchInput, other: BatchInput): boolean {
  const identity = ({ rowcall: { force: _force, ...choice }, ...places }: BatchInput): string =>
    JSON.stringify([places.config_s3_uri, places.input_csv_s3_uri, places.output_s3_prefix, choice]);
  return identity(one) === identity(other);
}

function packConfig(root: string, batch: Batch): Upload {
  const { inputUri: _input, output: _output, ...same } = batch;
  const bytes = Buffer.from(JSON.stringify(batchDocument(same) satisfies JsonObject));
  return {
    uri: joinUri(root, "uploads", createHash("sha256").update(bytes).digest("hex"), "batch.json"),
    size: bytes.length,
    contentType: "application/json",
    content: () => bytes,
  };
}

async function packTable(store: ObjectStore, root: string, uri: string): Promise<Upload> {
  const { size, sha256 } = await digestObject(store, uri);
  return {
    uri: joinUri(root, "uploads", sha256, plainName(uri)),
    size,
    contentType: "text/csv",
    content: () => store.read(uri),
  };
}

function remoteOutput(root: string, name: string, output: string): string {
  const prefix = joinUri(root, "outputs", name, "");
  return isOutputFile(output) && output !== "-" ? joinUri(prefix, plainName(output)) : prefix;
}

async function requireInput(store: ObjectStore, uri: string): Promise<void> {
  // Who may not look may name it all the same: the functions on AWS have permissions of their own.
  const found = await unlessDenied(() => store.stat(uri), "denied");
  if (found !== undefined) return;
  throw new RowcallError("INPUT_NOT_FOUND", `There is no input ${uri}`, {
    hint: "Check --input, or input in the batch file.",
  });
}

async function unlessDenied<T, D = undefined>(call: () => Promise<T>, otherwise?: D): Promise<T | D | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof RowcallError && error.code === "STORE_DENIED") return otherwise;
    throw error;
  }
}

function isLocal(uri: string): boolean {
  return schemeOf(uri) === "file";
}

// S3 takes nearly any name; those that need no quoting read better.
function plainName(uri: string): string {
  return baseName(uri).replace(/[^\w.-]+/g, "-");
}
