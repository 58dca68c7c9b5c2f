import { z } from "zod";
import { recordingLevels } from "./agent.ts";
import {
  dispatches,
  extraMetadataColumns,
  type Batch,
  type ColumnMapping,
  type ColumnSelection,
  type Execution,
  type InputMapping,
  type OutputMapping,
} from "./batch.ts";
import { credentialIn } from "./channel.ts";
import { errorTable, type ErrorCode } from "./errors.ts";
import { isJsonObject, type JsonObject } from "./json.ts";
import { parseReference, type Reference } from "./registry.ts";
import { invalid, parseWith, readWith, repeatedNames, suggest, type Problem, type Reading } from "./schema.ts";

const json = z.json();
const column = z.string().min(1);
const field = z.string().min(1);
const errorCodes = Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]];

const columnMapping = z.strictObject({
  csv_column: column.describe("Column of the input"),
  agent_input_field: field.describe("Field of the agent's input"),
  required: z.boolean().default(false).describe("Fail the row, without calling the agent, when the cell is empty"),
  default: json.optional().describe("Value when the cell is empty"),
});

const transformation = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("concat"),
    columns: z.array(column).min(1),
    separator: z.string().default(" "),
    required: z.boolean().default(false),
  }),
  z.strictObject({
    type: z.literal("template"),
    template: z.string().describe("Mustache over the row's columns: {{building_number}} {{street}}"),
    required: z.boolean().default(false),
  }),
  z.strictObject({
    type: z.literal("jsonpath"),
    column: column.describe("Column that holds JSON text"),
    path: z.string().describe("JSONPath (RFC 9535); the first match is taken"),
    required: z.boolean().default(false),
  }),
]);

const inputMapping = z.strictObject({
  column_mappings: z
    .union([z.array(columnMapping), z.record(column, field)])
    .optional()
    .describe("A list, or a dictionary of column to field"),
  include_columns: z.array(column).optional().describe("Columns passed under their own name"),
  exclude_columns: z.array(column).optional().describe("All columns but these are passed under their own name"),
  transformations: z.record(field, transformation).optional().describe("Fields made from columns, by field name"),
  static_values: z.record(field, json).optional().describe("Fields with the same value in every row"),
});

const outputMapping = z.strictObject({
  structured_output_fields: z
    .array(field)
    .optional()
    .describe("Fields of structured_output, in the order of their columns; the agent's output_fields when absent"),
  include_original: z.boolean().default(true),
  add_metadata: z
    .boolean()
    .default(true)
    .describe("_status, _timestamp, _execution_time_ms and, when a row failed, _error_message"),
  metadata_columns: z
    .array(z.enum(extraMetadataColumns))
    .default([])
    .describe("More metadata columns, after the usual ones"),
  rename: z
    .record(field, z.string().min(1))
    .default({})
    .describe("Field or metadata column to the column name it is written under"),
  formula_safe: z
    .boolean()
    .default(false)
    .describe("Put an apostrophe before new cells that a spreadsheet would run as a formula"),
});

const retryStrategy = z.strictObject({
  max_attempts: z.int().min(0).max(100).default(2).describe("Retries after the first attempt"),
  backoff_rate: z.number().min(1).default(2),
  interval_seconds: z.number().min(0).default(5),
  max_delay_seconds: z.number().min(0).default(300),
  jitter_strategy: z.enum(["FULL", "NONE"]).default("FULL"),
  retry_on: z.array(z.enum(errorCodes)).optional().describe("Try again only after these error codes"),
  do_not_retry_on: z.array(z.enum(errorCodes)).default([]),
});

const executionConfig = z.strictObject({
  max_concurrency: z.int().min(1).default(10).describe("Rows in flight at once"),
  timeout_seconds: z.number().positive().default(300).describe("Limit of one attempt"),
  retry_strategy: retryStrategy.prefault({}),
  tolerated_failure_percentage: z
    .number()
    .min(0)
    .max(100)
    .optional()
    .describe("Stop the run when more rows than this have failed"),
  tolerated_failure_count: z.int().min(0).optional().describe("Stop the run when more rows than this have failed"),
  dedupe: z.boolean().default(false).describe("Run the agent once for rows whose mapped input is the same"),
  dispatch: z
    .enum(dispatches)
    .optional()
    .describe("Where attempts are made: in the run's own process, or by workers that poll an activity"),
  heartbeat_seconds: z
    .number()
    .min(1)
    .default(30)
    .describe("Longest silence of a worker before its rows go to another one"),
  rate_limit: z
    .strictObject({
      requests_per_second: z.number().positive(),
      per: z.enum(["agent", "host"]).default("agent"),
    })
    .optional(),
});

const notificationConfig = z.strictObject({
  enabled: z.boolean().default(true),
  success_notification: z.boolean().default(true),
  failure_notification: z.boolean().default(true),
  sns_topic_arn: z.string().optional(),
  channels: z
    .array(z.string())
    .default([])
    .describe(
      "Who is told: an SNS topic's ARN, https://…, slack:NAME, console:; a secret in an address is written {{secret.NAME}}",
    ),
});

const inputObject = z.strictObject({
  uri: z.string().min(1).optional(),
  delimiter: z.enum([",", ";", "\t", "|"]).optional().describe("Detected when absent"),
  encoding: z.enum(["utf-8", "utf-16le", "utf-16be", "windows-1252"]).optional().describe("Detected when absent"),
  ragged: z
    .enum(["fail", "pad", "keep"])
    .default("fail")
    .describe(
      "Records of another width than the header: fail the row; pad short ones; or also keep the surplus cells of long ones",
    ),
});

const batchFileSchema = z.strictObject({
  $schema: z.string().optional(),
  name: z.string().optional().describe("Makes runs idempotent, as `rowcall run --name` does"),
  agent: z.string().min(1).optional().describe("name or name@version"),
  agent_name: z.string().min(1).optional(),
  agent_version: z.string().optional(),
  agent_state_machine_arn: z.string().optional(),
  agent_config: z.record(z.string(), json).default({}).describe("Laid over the agent's own config, key by key"),
  input: z
    .union([z.string().min(1), inputObject])
    .optional()
    .describe("URI of the table, or an object with its dialect"),
  output: z.string().min(1).optional().describe("Prefix that ends in /, or the output file itself"),
  input_mapping: inputMapping.prefault({}),
  output_mapping: outputMapping.prefault({}),
  execution_config: executionConfig.prefault({}),
  notification_config: notificationConfig.optional(),
  recording: z
    .strictObject({
      level: z.enum(recordingLevels).default("screenshot"),
      prefix: z.string().optional().describe("Where recordings go; a folder beside the journal when absent"),
    })
    .prefault({}),
});

const executionInputSchema = z.strictObject({
  config_s3_uri: z.string().min(1),
  input_csv_s3_uri: z.string().min(1),
  output_s3_prefix: z.string().min(1),
});

/** The execution input of the original product: where config, table and output are, each an `s3:` or `file:` URI or a path. */
export type ExecutionInput = z.output<typeof executionInputSchema>;

/**
 * Reads an execution input; undefined when the value is something else, such as a batch file.
 *
 * @throws RowcallError BATCH_INVALID when it is an execution input with a mistake
 */
export function parseExecutionInput(value: unknown, what: string): ExecutionInput | undefined {
  if (!isJsonObject(value) || !("config_s3_uri" in value || "input_csv_s3_uri" in value)) return undefined;
  return parseWith(executionInputSchema, value, "BATCH_INVALID", what);
}

/**
 * Reads the value of a batch file.
 *
 * @param what - what the value is, for messages: `batch file broadband.json`
 * @throws RowcallError BATCH_INVALID with every problem in `details.problems`
 */
export function parseBatch(value: unknown, what: string): Batch {
  const { data, problems } = readBatch(value);
  if (data === undefined || problems.length > 0) throw invalid("BATCH_INVALID", what, problems);
  return data;
}

/**
 * Reads as much of a batch file as can be read, so that `plan` can look at the rest too: what is wrong is listed and taken
 * for absent. A batch without an agent has the empty name for one.
 */
export function readBatch(value: unknown): Reading<Batch> {
  const { data, problems } = readWith(batchFileSchema, value);
  if (data === undefined) return { problems };
  // What was taken out is not missing.
  const isReported = ({ path }: Problem): boolean =>
    problems.some((p) => p.path === path || p.path.startsWith(`${path}.`));
  return {
    data: batchOf(data),
    problems: [...problems, ...conflictsIn(data).filter((conflict) => !isReported(conflict))],
  };
}

function batchOf(file: ParsedFile): Batch {
  const input = typeof file.input === "string" ? { uri: file.input, ragged: "fail" as const } : file.input;
  const { uri, ...dialect } = input ?? { ragged: "fail" as const };
  const notify = file.notification_config;
  return withoutUndefined({
    name: file.name,
    agent: referenceOf(file),
    agentStateMachineArn: file.agent_state_machine_arn,
    agentConfig: file.agent_config,
    inputUri: uri,
    dialect: withoutUndefined(dialect),
    output: file.output,
    inputMapping: readInputMapping(file.input_mapping),
    outputMapping: readOutputMapping(file.output_mapping),
    execution: readExecution(file.execution_config),
    notifications: {
      onSuccess: notify?.enabled === true && notify.success_notification,
      onFailure: notify?.enabled === true && notify.failure_notification,
      channels: [...(notify?.channels ?? []), ...(notify?.sns_topic_arn === undefined ? [] : [notify.sns_topic_arn])],
    },
    recording: withoutUndefined(file.recording),
  });
}

/**
 * A batch file's JSON Schema, as published for editors.
 *
 * @see https://json-schema.org/draft/2020-12
 */
export function batchJsonSchema(): JsonObject {
  return z.toJSONSchema(batchFileSchema, { io: "input" }) as JsonObject;
}

type ParsedFile = z.output<typeof batchFileSchema>;

function conflictsIn(file: ParsedFile): Problem[] {
  const problems: Problem[] = [];
  if (file.agent === undefined && file.agent_name === undefined) {
    problems.push({
      path: "agent_name",
      message: "missing",
      hint: 'Name the agent: "agent_name": "broadband-availability-bt-wholesale".',
    });
  }
  if (file.agent !== undefined && file.agent_name !== undefined) {
    problems.push({
      path: "agent",
      message: 'given together with "agent_name"',
      hint: 'Keep one of "agent" and "agent_name".',
    });
  }
  if (file.agent_version !== undefined && parseReference(file.agent ?? file.agent_name ?? "").version !== undefined) {
    problems.push({
      path: "agent_version",
      message: "given although the agent is named with a version",
      hint: "Keep one of the two.",
    });
  }
  const mapping = file.input_mapping;
  if (mapping.include_columns !== undefined && mapping.exclude_columns !== undefined) {
    problems.push({
      path: "input_mapping",
      message: "has both include_columns and exclude_columns",
      hint: "Keep one of them: include names what is passed, exclude what is not.",
    });
  }
  for (const twice of repeatedNames(columnMappings(mapping.column_mappings).map((m) => m.field)))
    problems.push({ path: "input_mapping.column_mappings", message: `agent_input_field "${twice}" is mapped twice` });
  const outputs = file.output_mapping.structured_output_fields ?? [];
  for (const twice of repeatedNames(outputs))
    problems.push({ path: "output_mapping.structured_output_fields", message: `field "${twice}" is listed twice` });
  for (const [i, address] of (file.notification_config?.channels ?? []).entries()) {
    const credential = credentialIn(address);
    if (credential !== undefined) problems.push({ path: `notification_config.channels.${i}`, ...credential });
  }
  for (const name of Object.keys(file.output_mapping.rename)) {
    if (outputs.length > 0 && !name.startsWith("_") && !outputs.includes(name)) {
      problems.push({
        path: `output_mapping.rename.${name}`,
        message: `renames "${name}", which is not an output field`,
        hint: suggest(name, outputs),
      });
    }
  }
  return problems;
}

function referenceOf(file: ParsedFile): Reference {
  const reference = parseReference(file.agent ?? file.agent_name ?? "");
  return file.agent_version === undefined ? reference : { name: reference.name, version: file.agent_version };
}

function columnMappings(mappings: ParsedFile["input_mapping"]["column_mappings"]): ColumnMapping[] {
  if (mappings === undefined) return [];
  if (!Array.isArray(mappings)) {
    return Object.entries(mappings).map(([csvColumn, name]) => ({ column: csvColumn, field: name, required: false }));
  }
  return mappings.map((m) =>
    withoutUndefined({ column: m.csv_column, field: m.agent_input_field, required: m.required, default: m.default }),
  );
}

function readInputMapping(mapping: ParsedFile["input_mapping"]): InputMapping {
  const nothingMapped = mapping.column_mappings === undefined && mapping.transformations === undefined;
  const selection: ColumnSelection =
    mapping.include_columns !== undefined
      ? { kind: "include", columns: mapping.include_columns }
      : mapping.exclude_columns !== undefined || nothingMapped
        ? { kind: "exclude", columns: mapping.exclude_columns ?? [] }
        : { kind: "none" };
  return {
    selection,
    columns: columnMappings(mapping.column_mappings),
    transformations: Object.entries(mapping.transformations ?? {}).map(([name, t]) => ({ ...t, field: name })),
    staticValues: mapping.static_values ?? {},
  };
}

function readOutputMapping(mapping: ParsedFile["output_mapping"]): OutputMapping {
  return withoutUndefined({
    fields: mapping.structured_output_fields,
    includeOriginal: mapping.include_original,
    addMetadata: mapping.add_metadata,
    metadataColumns: mapping.metadata_columns,
    rename: mapping.rename,
    formulaSafe: mapping.formula_safe,
  });
}

function readExecution(config: ParsedFile["execution_config"]): Execution {
  const retry = config.retry_strategy;
  return withoutUndefined({
    maxConcurrency: config.max_concurrency,
    timeoutSeconds: config.timeout_seconds,
    retry: withoutUndefined({
      maxAttempts: retry.max_attempts,
      intervalSeconds: retry.interval_seconds,
      backoffRate: retry.backoff_rate,
      maxDelaySeconds: retry.max_delay_seconds,
      jitterStrategy: retry.jitter_strategy,
      retryOn: retry.retry_on,
      doNotRetryOn: retry.do_not_retry_on,
    }),
    toleratedFailurePercentage: config.tolerated_failure_percentage,
    toleratedFailureCount: config.tolerated_failure_count,
    dedupe: config.dedupe,
    dispatch: config.dispatch,
    heartbeatSeconds: config.heartbeat_seconds,
    rateLimit: config.rate_limit && {
      requestsPerSecond: config.rate_limit.requests_per_second,
      per: config.rate_limit.per,
    },
  });
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
}
