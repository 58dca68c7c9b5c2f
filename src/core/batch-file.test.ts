import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Batch } from "./batch.ts";
import { batchJsonSchema, parseBatch, parseExecutionInput, readBatch } from "./batch-file.ts";
import { RowcallError } from "./errors.ts";
import { compileSchema, type Problem } from "./schema.ts";

function parse(file: Record<string, unknown>): Batch {
  return parseBatch({ agent: "lookup", ...file }, "batch file b.json");
}

function problemsOf(file: unknown): Problem[] {
  try {
    parseBatch(file, "batch file b.json");
  } catch (error) {
    assert.ok(error instanceof RowcallError && error.code === "BATCH_INVALID");
    return error.details["problems"] as Problem[];
  }
  return [];
}

test("fills in every default", () => {
  assert.deepEqual(parse({}), {
    agent: { name: "lookup" },
    agentConfig: {},
    dialect: { ragged: "fail" },
    inputMapping: { selection: { kind: "exclude", columns: [] }, columns: [], transformations: [], staticValues: {} },
    outputMapping: { includeOriginal: true, addMetadata: true, metadataColumns: [], rename: {}, formulaSafe: false },
    execution: {
      maxConcurrency: 10,
      timeoutSeconds: 300,
      retry: {
        maxAttempts: 2,
        intervalSeconds: 5,
        backoffRate: 2,
        maxDelaySeconds: 300,
        jitterStrategy: "FULL",
        doNotRetryOn: [],
      },
      dedupe: false,
      heartbeatSeconds: 30,
    },
    notifications: { onSuccess: false, onFailure: false, channels: [] },
    recording: { level: "screenshot" },
  });
});

test("reads the original product's config file word for word", () => {
  const file: unknown = JSON.parse(
    readFileSync(new URL("../../examples/broadband/broadband_batch_config.json", import.meta.url), "utf8"),
  );
  const batch = parseBatch(file, "batch file");
  assert.deepEqual(batch.agent, { name: "broadband-availability-bt-wholesale-prod" });
  assert.match(batch.agentStateMachineArn ?? "", /^arn:aws:states:/);
  assert.deepEqual(
    batch.inputMapping.columns.map(({ column, required }) => [column, required]),
    [
      ["building_number", true],
      ["street", true],
      ["postcode", true],
      ["full_address", false],
    ],
  );
  assert.deepEqual(batch.inputMapping.selection, { kind: "none" });
  assert.equal(batch.outputMapping.fields?.at(-1), "metadata");
  assert.equal(batch.execution.retry.maxAttempts, 2);
  assert.deepEqual(batch.notifications, {
    onSuccess: true,
    onFailure: true,
    channels: ["arn:aws:sns:eu-west-1:...:batch-processor-notifications-prod"],
  });
});

test("takes the agent with its version in one word or in two", () => {
  const both = [{ agent: "lookup@1.2.0" }, { agent_name: "lookup", agent_version: "1.2.0" }];
  for (const file of both) assert.deepEqual(parseBatch(file, "batch file").agent, { name: "lookup", version: "1.2.0" });
});

test("refuses an agent that is missing or named twice", () => {
  assert.deepEqual(
    problemsOf({}).map((p) => p.path),
    ["agent_name"],
  );
  assert.deepEqual(
    problemsOf({ agent: "a", agent_name: "b" }).map((p) => p.path),
    ["agent"],
  );
  assert.deepEqual(
    problemsOf({ agent: "a@1.0.0", agent_version: "2.0.0" }).map((p) => p.path),
    ["agent_version"],
  );
});

test("reads the input as a URI or with its dialect", () => {
  assert.equal(parse({ input: "rows.csv" }).inputUri, "rows.csv");
  const { inputUri, dialect } = parse({ input: { uri: "rows.csv", delimiter: ";", ragged: "pad" } });
  assert.equal(inputUri, "rows.csv");
  assert.deepEqual(dialect, { delimiter: ";", ragged: "pad" });
});

test("reads a dictionary of columns as optional mappings", () => {
  assert.deepEqual(parse({ input_mapping: { column_mappings: { Postcode: "postcode" } } }).inputMapping.columns, [
    { column: "Postcode", field: "postcode", required: false },
  ]);
});

test("keeps a default of a mapping, null and false included", () => {
  const mapping = (value: unknown): unknown => [{ csv_column: "a", agent_input_field: "a", default: value }];
  for (const value of [null, false, 0, "", { a: 1 }]) {
    assert.deepEqual(
      parse({ input_mapping: { column_mappings: mapping(value) } }).inputMapping.columns[0]?.default,
      value,
    );
  }
});

test("passes all columns when nothing is mapped, and only the mapped ones otherwise", () => {
  const selection = (mapping: unknown): unknown => parse({ input_mapping: mapping }).inputMapping.selection;
  assert.deepEqual(selection({ static_values: { a: 1 } }), { kind: "exclude", columns: [] });
  assert.deepEqual(selection({ column_mappings: {} }), { kind: "none" });
  assert.deepEqual(selection({ exclude_columns: ["secret"], column_mappings: {} }), {
    kind: "exclude",
    columns: ["secret"],
  });
  assert.deepEqual(selection({ include_columns: ["a"] }), { kind: "include", columns: ["a"] });
});

test("reads transformations with the field each makes", () => {
  const transformations = {
    address: { type: "concat", columns: ["a", "b"] },
    id: { type: "jsonpath", column: "c", path: "$.id", required: true },
  };
  assert.deepEqual(parse({ input_mapping: { transformations } }).inputMapping.transformations, [
    { field: "address", type: "concat", columns: ["a", "b"], separator: " ", required: false },
    { field: "id", type: "jsonpath", column: "c", path: "$.id", required: true },
  ]);
});

test("tells of notifications only when they are enabled", () => {
  const config = { success_notification: false, channels: ["console:"] };
  assert.deepEqual(parse({ notification_config: config }).notifications, {
    onSuccess: false,
    onFailure: true,
    channels: ["console:"],
  });
  const { onSuccess, onFailure } = parse({ notification_config: { ...config, enabled: false } }).notifications;
  assert.deepEqual([onSuccess, onFailure], [false, false]);
});

test("lists everything that contradicts itself", () => {
  const problems = problemsOf({
    agent: "lookup",
    input_mapping: {
      include_columns: ["a"],
      exclude_columns: ["b"],
      column_mappings: [
        { csv_column: "a", agent_input_field: "x" },
        { csv_column: "b", agent_input_field: "x" },
      ],
    },
    output_mapping: { structured_output_fields: ["speed", "speed"], rename: { sped: "Speed", _status: "Status" } },
  });
  assert.deepEqual(
    problems.map(({ path }) => path),
    [
      "input_mapping",
      "input_mapping.column_mappings",
      "output_mapping.structured_output_fields",
      "output_mapping.rename.sped",
    ],
  );
  assert.equal(problems.at(-1)?.hint, 'Did you mean "speed"?');
});

test("refuses limits that make no sense", () => {
  const wrong = [
    { max_concurrency: 0 },
    { max_concurrency: 1.5 },
    { timeout_seconds: 0 },
    { tolerated_failure_percentage: 101 },
    { retry_strategy: { max_attempts: -1 } },
    { retry_strategy: { backoff_rate: 0.5 } },
    { rate_limit: { requests_per_second: 0 } },
  ];
  for (const config of wrong)
    assert.equal(problemsOf({ agent: "a", execution_config: config }).length, 1, JSON.stringify(config));
});

test("survives the journal: a batch is plain JSON", () => {
  const batch = parse({
    name: "nightly",
    output: "out/",
    execution_config: { dedupe: true, rate_limit: { requests_per_second: 2 } },
  });
  assert.deepEqual(JSON.parse(JSON.stringify(batch)), batch);
});

test("reads an execution input, and leaves a batch file alone", () => {
  const input = { config_s3_uri: "s3://b/c.json", input_csv_s3_uri: "rows.csv", output_s3_prefix: "file:///tmp/out/" };
  assert.deepEqual(parseExecutionInput(input, "execution input"), input);
  assert.equal(parseExecutionInput({ agent: "lookup" }, "execution input"), undefined);
  assert.throws(() => parseExecutionInput({ config_s3_uri: "s3://b/c.json" }, "execution input"), {
    code: "BATCH_INVALID",
  });
});

test("publishes a JSON Schema that takes what the reader takes and refuses what it refuses", () => {
  const validate = compileSchema(batchJsonSchema(), "The batch file's schema");
  const file = {
    $schema: "x",
    agent: "lookup",
    input: { uri: "rows.csv", encoding: "utf-8" },
    input_mapping: { column_mappings: { a: "b" } },
  };
  assert.deepEqual(validate(file), []);
  assert.notDeepEqual(validate({ ...file, agnet: "lookup" }), []);
});

test("reports a missing agent together with what else is wrong", () => {
  assert.deepEqual(
    problemsOf({
      execution_config: { max_concurency: 5 },
      output_mapping: { structured_output_fields: ["a", "a"] },
    }).map(({ path, message }) => [path, message]),
    [
      ["execution_config.max_concurency", 'unknown key "max_concurency"'],
      ["agent_name", "missing"],
      ["output_mapping.structured_output_fields", 'field "a" is listed twice'],
    ],
  );
});

test("does not call missing what is there and wrong", () => {
  assert.deepEqual(
    problemsOf({ agent_name: 5 }).map(({ path }) => path),
    ["agent_name"],
  );
});

test("reads what is right of a file, the rest being absent", () => {
  const { data, problems } = readBatch({
    agent: "lookup",
    outptu: "out/",
    input: { uri: "in.csv", delimiter: "#" },
    input_mapping: {
      column_mappings: [
        { csv_column: "a" },
        { csv_column: "b", agent_input_field: "c", requird: true },
        { csv_column: "d", agent_input_field: "e" },
      ],
    },
    execution_config: { max_concurrency: 0, timeout_seconds: 7 },
  });
  assert.deepEqual(
    problems.map(({ path }) => path),
    [
      "input.delimiter",
      "input_mapping.column_mappings.0.agent_input_field",
      "input_mapping.column_mappings.1.requird",
      "execution_config.max_concurrency",
      "outptu",
    ],
  );
  assert.equal(data?.inputUri, "in.csv");
  assert.deepEqual(
    data?.inputMapping.columns.map(({ column }) => column),
    ["b", "d"],
  );
  assert.deepEqual([data?.execution.maxConcurrency, data?.execution.timeoutSeconds], [10, 7]);
});

test("reads nothing of a file that is no object", () => {
  assert.deepEqual(readBatch([]).data, undefined);
});
