import { z } from "zod";
import { parseArn } from "../aws/aws.ts";
import { RowcallError } from "../core/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue, setOwn } from "../core/json.ts";
import { parseWith, invalid, type Problem, type Reading } from "../core/schema.ts";
import { dirname, isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { RecordingLevel } from "../core/agent.ts";
import type { Batch, Dispatch, OutputMapping } from "../core/batch.ts";
import { parseBatch, parseExecutionInput, readBatch } from "../core/batch-file.ts";
import type { Services } from "../core/services.ts";
import { resolveUri, schemeOf } from "../core/uri.ts";
import { moduleProblems } from "../attempt/allowed-modules.ts";
import { isOutputFile } from "./output-uri.ts";
import { readDocument } from "../core/read-document.ts";

const sections = {
  input_mapping: z.json().optional(),
  output_mapping: z.json().optional(),
  execution_config: z.json().optional(),
  notification_config: z.json().optional(),
  recording: z.json().optional(),
  agent_config: z.json().optional(),
};

const target = z.union([
  z.string().min(1),
  z.strictObject({ type: z.literal("agent"), name: z.string().min(1), version: z.string().optional() }),
]);

const inlineInput = z
  .strictObject({
    csv_s3_uri: z.string().min(1).optional(),
    input_csv_s3_uri: z.string().min(1).optional(),
    target,
    output_s3_prefix: z.string().min(1).optional(),
    output: z.string().min(1).optional(),
    ...sections,
  })
  .refine((value) => (value.csv_s3_uri ?? value.input_csv_s3_uri) !== undefined, {
    path: ["csv_s3_uri"],
    message: "missing",
  })
  .refine((value) => (value.output_s3_prefix ?? value.output) !== undefined, {
    path: ["output_s3_prefix"],
    message: "missing",
  });

/**
 * The batch that an execution asks for, as `loadBatch` reads it. An input with a `target` names agent and places itself and
 * holds the sections of a batch file; anything else is an execution input that names a batch file, or a batch file as it is.
 *
 * @throws RowcallError BATCH_INVALID
 */
export function batchOfInput(input: JsonValue): JsonObject {
  if (!isJsonObject(input)) {
    throw new RowcallError("BATCH_INVALID", "The execution input is not an object", {
      hint: "Give the keys of a batch file, or config_s3_uri, input_csv_s3_uri and output_s3_prefix.",
    });
  }
  if (!("target" in input)) return input;
  const {
    csv_s3_uri,
    input_csv_s3_uri,
    output_s3_prefix,
    output,
    target: named,
    ...rest
  } = parseWith(inlineInput, input, "BATCH_INVALID", "execution input");
  const batch = {
    ...agentOf(named),
    input: csv_s3_uri ?? input_csv_s3_uri,
    output: output_s3_prefix ?? output,
    ...rest,
  };
  return Object.fromEntries(Object.entries(batch).filter(([, value]) => value !== undefined)) as JsonObject;
}

function agentOf(named: z.output<typeof target>): JsonObject {
  if (typeof named !== "string")
    return { agent_name: named.name, ...(named.version === undefined ? {} : { agent_version: named.version }) };
  const arn = parseArn(named);
  if (arn === undefined) return { agent: named };
  return { agent_name: arn.resource.replace(/^stateMachine:/, ""), agent_state_machine_arn: named };
}

/** What is laid over a batch file; paths start from the base directory. */
export interface BatchOverrides {
  readonly input?: string;
  readonly output?: string;
  readonly maxConcurrency?: number;
  readonly timeoutSeconds?: number;
  readonly dispatch?: Dispatch;
  readonly recording?: RecordingLevel;
  /** Laid over `agent_config`, key by key. */
  readonly agentConfig?: JsonObject;
}

/** Path or URI of JSON or YAML, JSON itself when it starts with `{`, or the value of a batch file. */
export type BatchSource = string | JsonObject;

/** A place that a batch may have to name. */
export type Place = "input" | "output";

/** A batch as far as it can be read. */
export interface BatchParts extends Reading<Batch> {
  /** What was read, for messages: `batch file broadband.json`. */
  readonly what: string;
}

/**
 * Reads a batch from a batch file or from the original product's execution input. Paths inside a file start from the file's
 * folder; all are made absolute, so that the run can go on from anywhere.
 *
 * @param required - what must be known, from the file or the overrides
 * @throws RowcallError BATCH_NOT_FOUND; BATCH_INVALID with every problem in `details.problems`
 */
export async function loadBatch(
  services: Services,
  source: BatchSource,
  overrides: BatchOverrides = {},
  required: readonly Place[] = [],
): Promise<Batch> {
  return requireBatch(await loadBatchParts(services, source, overrides, required));
}

/**
 * A batch that could be read whole.
 *
 * @throws RowcallError BATCH_INVALID with every problem in `details.problems`
 */
export function requireBatch({ data, problems, what }: BatchParts): Batch {
  if (data === undefined || problems.length > 0) throw invalid("BATCH_INVALID", what, problems);
  return data;
}

/**
 * As {@link loadBatch}, but with what can be read of a batch that has problems, so that `plan` can look at the rest too.
 *
 * @throws RowcallError BATCH_NOT_FOUND; BATCH_INVALID when the text is neither JSON nor YAML
 */
export async function loadBatchParts(
  services: Services,
  source: BatchSource,
  overrides: BatchOverrides = {},
  required: readonly Place[] = [],
): Promise<BatchParts> {
  const { value: file, what, files } = await loadValue(services, source);
  const value = withOverrides(file, overrides, services.baseDirectory);
  const { problems, ...read } = readBatch(value);
  const overwritten = await overwrittenFile(services, read.data?.output, files);
  const chosen = moduleProblems(services, value);
  return { ...read, problems: [...problems, ...missingPlaces(value, required), ...chosen, ...overwritten], what };
}

/**
 * Reads an output mapping from a batch file, or from a file with nothing but `output_mapping` or what belongs in it.
 *
 * @throws RowcallError BATCH_NOT_FOUND, BATCH_INVALID
 */
export async function loadOutputMapping(services: Services, source: string): Promise<OutputMapping> {
  const { value, what } = await loadValue(services, source);
  const isBatch = isJsonObject(value) && ("agent" in value || "agent_name" in value);
  const mapping = isJsonObject(value) && "output_mapping" in value ? value : { output_mapping: value as JsonValue };
  return parseBatch(isBatch ? value : { agent_name: "any", ...mapping }, what).outputMapping;
}

interface LoadedValue {
  readonly value: unknown;
  /** What it is, for messages. */
  readonly what: string;
  /** What was read for it. */
  readonly files: readonly string[];
}

async function loadValue(services: Services, source: BatchSource): Promise<LoadedValue> {
  const file = typeof source === "string" && !source.trimStart().startsWith("{") ? source : undefined;
  const what =
    file !== undefined ? `batch file ${file}` : typeof source === "string" ? "batch on the command line" : "batch";
  const text = file === undefined ? source : await readText(services, file);
  const value = typeof text === "string" ? await readDocument(text, file ?? "", "BATCH_INVALID", what) : text;
  const place =
    file === undefined ? resolve(services.baseDirectory, "batch.json") : absolute(file, services.baseDirectory);

  const execution = parseExecutionInput(value, file === undefined ? "execution input" : `execution input ${file}`);
  const files = file === undefined ? [] : [file];
  if (execution === undefined) return { value: anchored(value, place), what, files };
  const config = beside(execution.config_s3_uri, place);
  const configWhat = `batch file ${config}`;
  const batch = anchored(
    await readDocument(await readText(services, config), config, "BATCH_INVALID", configWhat),
    config,
  );
  const places = {
    input: beside(execution.input_csv_s3_uri, place),
    output: beside(execution.output_s3_prefix, place),
  };
  return { value: withOverrides(batch, places, ""), what: configWhat, files: [...files, config] };
}

async function overwrittenFile(
  { store }: Services,
  output: string | undefined,
  files: readonly string[],
): Promise<Problem[]> {
  if (output === undefined || !isOutputFile(output) || output === "-") return [];
  const place = await store.identify(output);
  for (const file of files) {
    if ((await store.identify(file)) !== place) continue;
    return [{ path: "output", message: `${output} is the batch file itself`, hint: "Choose another output." }];
  }
  return [];
}

async function readText({ store, baseDirectory }: Services, uri: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of store.read(uri)) chunks.push(chunk);
  } catch (cause) {
    if (!(cause instanceof RowcallError) || cause.code !== "STORE_NOT_FOUND") throw cause;
    const isFile = schemeOf(uri) === "file";
    const from = isFile && !isAbsolute(uri) ? `; it is looked for from ${baseDirectory}` : "";
    const hint = isFile && cause.hint?.startsWith("Did you mean") !== true ? `Check the path${from}.` : cause.hint;
    throw new RowcallError("BATCH_NOT_FOUND", `There is no batch file ${uri}`, {
      ...(hint === undefined ? {} : { hint }),
      cause,
    });
  }
  return Buffer.concat(chunks).toString("utf8");
}

// Everything is laid over the file before it is checked, so that all that is wrong is told at once.
function withOverrides(value: unknown, overrides: BatchOverrides, baseDirectory: string): unknown {
  if (!isJsonObject(value)) return value;
  const move = (uri: string): string => absolute(uri, baseDirectory);
  const { input, output, agentConfig } = overrides;
  return overlay(value, {
    input: input === undefined ? undefined : isJsonObject(value["input"]) ? { uri: move(input) } : move(input),
    output: output === undefined ? undefined : move(output),
    execution_config: {
      max_concurrency: overrides.maxConcurrency,
      timeout_seconds: overrides.timeoutSeconds,
      dispatch: overrides.dispatch,
    },
    recording: { level: overrides.recording },
    agent_config: agentConfig && withModule(agentConfig, move),
  });
}

function overlay(base: JsonObject, over: JsonObject): JsonObject {
  const merged: Record<string, JsonValue | undefined> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = Object.hasOwn(merged, key) ? merged[key] : undefined;
    if (isJsonObject(value) && isJsonObject(below)) setOwn(merged, key, overlay(below, value));
    else if (isJsonObject(value) ? Object.values(value).some((part) => part !== undefined) : value !== undefined)
      setOwn(merged, key, value);
  }
  return merged;
}

function missingPlaces(value: unknown, required: readonly Place[]): Problem[] {
  if (!isJsonObject(value)) return [];
  const uriOf = (part: JsonValue | undefined): JsonValue | undefined => (isJsonObject(part) ? part["uri"] : part);
  return required
    .filter((place) => uriOf(value[place]) === undefined)
    .map((place) => ({
      path: place,
      message: "missing",
      hint: `Give --${place}, or set "${place}" in the batch file.`,
    }));
}

/** A batch file's value with its paths made absolute, as seen from the file. */
function anchored(value: unknown, place: string): unknown {
  if (!isJsonObject(value)) return value;
  const move = (part: JsonValue | undefined): JsonValue | undefined =>
    typeof part === "string" ? beside(part, place) : part;
  const { input, output, recording, agent_config: config } = value;
  return overlay(value, {
    input: isJsonObject(input) ? { uri: move(input["uri"]) } : move(input),
    output: move(output),
    recording: isJsonObject(recording) ? { prefix: move(recording["prefix"]) } : recording,
    agent_config: isJsonObject(config) ? withModule(config, (path) => beside(path, place)) : config,
  });
}

// `module` of a function agent is the one setting that is a path; a package's name stays as it is.
function withModule(config: JsonObject, move: (path: string) => string): JsonObject {
  const { module } = config;
  return typeof module === "string" && module.startsWith(".") ? { ...config, module: move(module) } : config;
}

/** A path or URI made absolute, as seen from the folder of `place`. */
function beside(uri: string, place: string): string {
  const scheme = schemeOf(place);
  if (scheme === "file") return absolute(uri, dirname(place.startsWith("file:") ? fileURLToPath(place) : place));
  if (uri === "" || uri === "-" || schemeOf(uri) !== "file" || uri.startsWith("file:") || isAbsolute(uri)) return uri;
  return resolveUri(place, uri);
}

function absolute(uri: string, directory: string): string {
  if (uri === "" || uri === "-" || schemeOf(uri) !== "file" || uri.startsWith("file:") || isAbsolute(uri)) return uri;
  return resolve(directory, uri) + (/[/\\]$/.test(uri) ? "/" : "");
}
