import assert from "node:assert/strict";
import { test } from "node:test";
import type { Batch } from "../core/batch.ts";
import { readBatch } from "../core/batch-file.ts";
import { RowcallError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { Services } from "../core/services.ts";
import { openRegistry } from "../registry/open-registry.ts";
import { openMemoryStore } from "../stores/memory-store.ts";
import { createTestServices } from "../../test/fakes/services.ts";
import { createCheck } from "./check.ts";
import { planBatch, type Plan, type PlanOptions } from "./plan.ts";

const agent = {
  agent_name: "lookup",
  version: "1.0.0",
  kind: "function",
  input_schema: {
    type: "object",
    required: ["street", "postcode"],
    properties: {
      street: { type: "string" },
      postcode: { type: "string", pattern: "^[A-Z0-9 ]+$" },
      number: { type: "integer" },
    },
    additionalProperties: false,
  },
  structured_output: { enabled: true, output_fields: ["exchange", "speed"] },
  estimate: { seconds_per_row: 12, cost_per_row_usd: 0.001 },
};

const goodFile = {
  agent: "lookup",
  input: "memory:in.csv",
  output: "memory:out/",
  input_mapping: {
    column_mappings: [
      { csv_column: "street", agent_input_field: "street", required: true },
      { csv_column: "postcode", agent_input_field: "postcode", required: true },
    ],
  },
  output_mapping: { structured_output_fields: ["exchange", "speed"] },
};

interface World {
  readonly agent?: JsonObject;
  readonly table?: string;
  readonly services?: Partial<Services>;
  readonly files?: Readonly<Record<string, string>>;
}

async function servicesWith({
  agent: own = agent,
  table = "street,postcode\nHigh Street,E8 4LX\n",
  services,
  files = {},
}: World): Promise<Services> {
  const store = openMemoryStore({ clock: () => 0 });
  await store.write("memory:registry/agents/lookup_v1.0.0.json", Buffer.from(JSON.stringify(own)));
  await store.write("memory:in.csv", Buffer.from(table));
  for (const [uri, text] of Object.entries(files)) await store.write(uri, Buffer.from(text));
  const invoke = async (): Promise<JsonObject> => ({ structured_output: { exchange: "HACKNEY", speed: 80 } });
  return {
    ...createTestServices({ store, invoke, clock: () => 0 }),
    registry: openRegistry({ store, registries: ["memory:registry"] }),
    ...services,
  };
}

async function plan(file: JsonObject, world: World = {}, options: PlanOptions = {}): Promise<Plan> {
  const { data, problems } = readBatch(file);
  return planBatch(await servicesWith(world), data as Batch, { fileProblems: problems, ...options });
}

const byStatus = ({ checks }: Plan, status: string): string[] =>
  checks.filter((check) => check.status === status).map(({ id }) => id);
const checkOf = ({ checks }: Plan, id: string): { status?: string; detail?: string; hint?: string } =>
  checks.find((check) => check.id === id) ?? {};

test("a good batch passes every check but the one that only a run can make", async () => {
  const found = await plan(goodFile);
  assert.equal(found.runnable, true);
  assert.deepEqual(byStatus(found, "skipped"), ["structured_output_returned", "channels"]);
  assert.deepEqual(byStatus(found, "warning"), []);
  assert.deepEqual(found.sample, [{ row: 0, line: 2, input: { street: "High Street", postcode: "E8 4LX" } }]);
  assert.deepEqual(found.outputColumns, [
    "street",
    "postcode",
    "exchange",
    "speed",
    "_status",
    "_timestamp",
    "_execution_time_ms",
    "_error_message",
  ]);
  assert.equal(found.agent, "lookup@1.0.0");
});

test("a probe runs one row and makes that check too, and measures", async () => {
  let now = 0;
  const found = await plan(
    goodFile,
    { agent: { ...agent, estimate: {} }, services: { monotonic: () => (now += 1500) } },
    { probe: { recordingsUri: "memory:recordings" } },
  );
  assert.deepEqual(checkOf(found, "structured_output_returned"), {
    ...createCheck("structured_output_returned", "passed", "Row 0 (line 2) answered in 1.5 s"),
  });
  assert.equal(found.estimate.secondsPerRow, 1.5);
});

test("a probe that brings no structured output keeps the batch from running", async () => {
  const openAgent = async () => ({ invoke: async () => ({ answer: 42 }), close: async () => {} });
  const found = await plan(goodFile, { services: { openAgent } }, { probe: { recordingsUri: "memory:recordings" } });
  assert.equal(checkOf(found, "structured_output_returned").status, "failed");
  assert.equal(
    checkOf(found, "structured_output_returned").detail,
    "Row 0 (line 2) failed: Agent did not return structured output (OUTPUT_MISSING)",
  );
  assert.equal(found.runnable, false);
});

test("a broken batch shows every problem at once, each with its hint", async () => {
  const found = await plan(
    {
      agent: "lokup",
      outptu: "x",
      input: "memory:in.csv",
      output: "memory:out/result.csv",
      input_mapping: { column_mappings: { stret: "street", postcod: "postcode" } },
      output_mapping: { structured_output_fields: ["street", "exchange"] },
      notification_config: { channels: ["pigeon:"] },
    },
    { files: { "memory:out/result.csv": "old" }, table: 'street,postcode\n"a,b\n1,2,3\n"\n' },
    { extraChecks: [async () => createCheck("browser", "failed", "No Chromium", "Install one.")] },
  );
  assert.equal(found.runnable, false);
  assert.deepEqual(byStatus(found, "failed"), [
    "batch_file",
    "agent_registered",
    "input_columns",
    "output_accessible",
    "browser",
    "output_columns",
  ]);
  assert.deepEqual(byStatus(found, "warning"), ["channels", "ragged_rows"]);
  assert.equal(checkOf(found, "batch_file").detail, 'outptu: unknown key "outptu"');
  assert.equal(checkOf(found, "batch_file").hint, 'Did you mean "output"?');
  assert.match(checkOf(found, "agent_registered").hint ?? "", /^Did you mean "lookup"\?/);
  assert.equal(
    checkOf(found, "output_columns").detail,
    'output_mapping: Output column "street" has the name of a column of the input',
  );
  assert.deepEqual(
    found.checks.find(({ id }) => id === "input_columns")?.problems?.map(({ hint }) => hint),
    ['Did you mean "street"?', 'Did you mean "postcode"?'],
  );
});

test("an agent that cannot serve batches, and fields it does not declare, are separate checks", async () => {
  const own = {
    ...agent,
    structured_output: { enabled: false, output_fields: ["exchange", "speed"] },
    supports_batch_processing: false,
  };
  const found = await plan(
    { ...goodFile, output_mapping: { structured_output_fields: ["exchang", "sped"] } },
    { agent: own },
  );
  assert.deepEqual(byStatus(found, "failed"), ["agent_registered", "structured_output_enabled", "output_fields"]);
  assert.equal(
    checkOf(found, "structured_output_enabled").hint,
    "Set structured_output.enabled to true in the agent's registry entry.",
  );
});

test("the mapping is held against the agent's input schema", async () => {
  const found = await plan({
    ...goodFile,
    input_mapping: { column_mappings: { street: "street", postcode: "post_code" } },
  });
  const check = found.checks.find(({ id }) => id === "input_columns");
  assert.equal(check?.status, "failed");
  assert.deepEqual(
    check.problems?.map(({ message }) => message),
    [
      'nothing is mapped to "postcode", which the agent\'s input_schema requires',
      'field "post_code" is not in the agent\'s input_schema',
    ],
  );
  assert.equal(check.problems?.[1]?.hint, 'Did you mean "postcode"?');
});

test("a field that the schema does not know is a warning where the schema allows others", async () => {
  const own = { ...agent, input_schema: { ...agent.input_schema, additionalProperties: true } };
  const mapping = { column_mappings: [...goodFile.input_mapping.column_mappings], static_values: { numbr: 1 } };
  const found = await plan({ ...goodFile, input_mapping: mapping }, { agent: own });
  assert.deepEqual(
    [checkOf(found, "input_columns").status, checkOf(found, "input_columns").hint, found.runnable],
    ["warning", 'Did you mean "number"?', true],
  );
});

test("invalid rows are counted and shown with their lines; they are a warning unless every row is invalid", async () => {
  const table = "street,postcode\nA,E8 4LX\n\nB,\nC\nD,e8\n";
  const found = await plan(goodFile, { table });
  assert.deepEqual([found.runnable, found.invalid.count, found.rows], [true, 3, 4]);
  assert.deepEqual(
    found.invalid.first.map(({ row, line, code }) => [row, line, code]),
    [
      [1, 4, "ROW_VALUE_MISSING"],
      [2, 5, "ROW_RAGGED"],
      [3, 6, "ROW_INVALID"],
    ],
  );
  assert.deepEqual(byStatus(found, "warning"), ["ragged_rows", "valid_rows"]);
  assert.equal(found.estimate.rows, 1);
  assert.equal((await plan(goodFile, { table: "street,postcode\nA,\nB,\n" })).runnable, false);
});

test("a row that the agent would refuse is invalid, as its preview says", async () => {
  const preview = (input: JsonObject): JsonObject => {
    if (input["street"] === "B")
      throw new RowcallError("TEMPLATE_RENDER", 'Template variable "x" is missing', { hint: "Map it." });
    return {};
  };
  const openAgent = async () => ({ invoke: async () => ({}), preview, close: async () => {} });
  const found = await plan(goodFile, { table: "street,postcode\nA,E8\nB,E8\n", services: { openAgent } });
  assert.deepEqual(found.invalid.first, [
    { row: 1, line: 3, code: "TEMPLATE_RENDER", message: 'Template variable "x" is missing', hint: "Map it." },
  ]);
  assert.equal(
    found.checks.find(({ id }) => id === "valid_rows")?.detail,
    '1 of 2 rows are invalid; the first, row 1 (line 3): Template variable "x" is missing',
  );
});

test("rows that ask the same are counted; with dedupe they cost nothing", async () => {
  const table = "street,postcode,note\nA,E8,1\nB,E8,2\nA,E8,3\nA,E8,4\n";
  const found = await plan(goodFile, { table });
  assert.deepEqual(found.duplicates, {
    count: 2,
    first: [
      { row: 2, line: 4, sameAs: 0 },
      { row: 3, line: 5, sameAs: 0 },
    ],
    isComplete: true,
  });
  assert.equal(
    found.checks.find(({ id }) => id === "duplicate_rows")?.detail,
    "2 rows the same as an earlier one, such as row 2 (line 4), the same as row 0",
  );
  assert.deepEqual(
    [byStatus(found, "warning"), found.estimate.rows, found.estimate.costUsd],
    [["duplicate_rows"], 4, 0.004],
  );
  const deduped = await plan({ ...goodFile, execution_config: { dedupe: true } }, { table });
  assert.deepEqual([byStatus(deduped, "warning"), deduped.estimate.rows], [[], 2]);
});

test("only the rows asked for are judged", async () => {
  const table = "street,postcode\nA,\nB,E8\nC,\nD,E9\n";
  const found = await plan(
    goodFile,
    { table },
    {
      rows: [
        [1, 1],
        [3, 3],
      ],
    },
  );
  assert.deepEqual(
    [found.rows, found.input?.rows, found.invalid.count, found.sample.map(({ row }) => row)],
    [2, 4, 0, [1, 3]],
  );
  assert.deepEqual((await plan(goodFile, { table }, { rows: [[1, 3]], limit: 1 })).rows, 1);
  const beyond = await plan(goodFile, { table }, { rows: [[3, 9]] });
  assert.equal(checkOf(beyond, "row_selection").detail, "Row 9 is not in the input, which has 4 rows");
  assert.equal(beyond.runnable, false);
});

test("an input that is not there, is empty or no table hides no other problem", async () => {
  const output = { structured_output_fields: ["exchange", "nope"] };
  const missing = await plan({ ...goodFile, input: "memory:none.csv", output_mapping: output });
  assert.deepEqual(byStatus(missing, "failed"), ["output_fields", "input_accessible"]);
  const empty = await plan({ ...goodFile, output_mapping: output }, { table: "\n\n" });
  assert.deepEqual(byStatus(empty, "failed"), ["output_fields", "table"]);
  const open = await plan(goodFile, { table: 'street,postcode\n"A,E8\n' });
  assert.match(checkOf(open, "table").detail ?? "", /line 2/);
});

test("names the dialect, and columns without a name of their own", async () => {
  const found = await plan(goodFile, { table: "street;postcode;note;note;\r\nA;E8;1;2;3\r\n" });
  assert.deepEqual(found.input?.dialect.delimiter, ";");
  assert.deepEqual(byStatus(found, "warning"), ["header"]);
  assert.equal(checkOf(found, "header").detail, 'Column "note" is there more than once; Column 5 has no name');
});

test("an output that is named and there is refused unless it may be replaced", async () => {
  const file = { ...goodFile, output: "memory:out.csv" };
  const files = { "memory:out.csv": "old" };
  assert.deepEqual(byStatus(await plan(file, { files }), "failed"), ["output_accessible"]);
  assert.deepEqual(byStatus(await plan(file, { files }, { force: true }), "failed"), []);
});

test("an output that cannot be written is found, and the probe leaves nothing behind", async () => {
  const services = await servicesWith({});
  const store = {
    ...services.store,
    write: async () => {
      throw new RowcallError("STORE_DENIED", "memory: may not be written", { hint: "Ask for the right to write." });
    },
  };
  const batch = readBatch(goodFile).data as Batch;
  const found = await planBatch({ ...services, store }, batch);
  assert.equal(checkOf(found, "output_accessible").hint, "Ask for the right to write.");
  await planBatch(services, batch);
  assert.deepEqual(await Array.fromAsync(services.store.list("memory:out")), []);
});

test("what opening finds is said once when a check of its own has said it", async () => {
  const openAgent = async (): Promise<never> => {
    throw new RowcallError("CHROMIUM_NOT_FOUND", "No Chromium that works was found");
  };
  const found = await plan(
    goodFile,
    { services: { openAgent } },
    { extraChecks: [async () => createCheck("browser", "failed", "No Chromium that works was found")] },
  );
  assert.deepEqual(
    [byStatus(found, "failed"), checkOf(found, "agent_opens").detail],
    [["browser"], 'See "Local browser agent is running"'],
  );
});
