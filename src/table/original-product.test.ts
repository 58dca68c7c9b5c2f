import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { readTable, recordBytes } from "../../test/fakes/tables.ts";
import { parseBatch } from "../core/batch-file.ts";
import type { Attempt, Outcome } from "../core/attempt.ts";
import type { JsonValue } from "../core/json.ts";
import { createEnricher } from "./enrich.ts";
import { createExtractor } from "../attempt/extract.ts";
import { createMapper } from "./map.ts";
import { createTableWriter } from "./write.ts";

const example = (name: string): Promise<Buffer> =>
  readFile(new URL(`../../examples/broadband/${name}`, import.meta.url));

const batch = parseBatch(JSON.parse((await example("broadband_batch_config.json")).toString()), "batch file");
const table = await readTable(await example("test_addresses.csv"), batch.dialect);
const fields = batch.outputMapping.fields ?? [];
const agent = { agent_name: batch.agent.name, structured_output: { enabled: true, output_fields: [...fields] } };
const [header = [], ...rows] = table.records.map(({ cells }) => cells);

const recording = "s3://browser-agent-recordings-prod/.../recording.mp4";
const metadata = { act_id: "...", session_id: "...", num_steps: 5 };
const structured_output = (
  exchange: string,
  cabinet: string,
  down: number,
  up: number,
  service_type: string,
): JsonValue => ({
  structured_output: {
    success: true,
    exchange,
    cabinet,
    downstream_mbps: down,
    upstream_mbps: up,
    availability: true,
    service_type,
    screenshot_url: recording,
    metadata,
  },
});

const replies: readonly (readonly [reply: JsonValue, endedAt: string, tookMs: number])[] = [
  [structured_output("KINGSLAND GREEN", "Cabinet 9", 80, 20, "FTTC"), "2025-10-18T05:30:00Z", 12_500],
  [
    { Output: JSON.stringify(structured_output("DONCASTER CENTRAL", "Cabinet 15", 67, 19, "FTTC")) },
    "2025-10-18T05:31:00Z",
    11_200,
  ],
  [{ content: structured_output("HACKNEY", "Cabinet 23", 300, 50, "FTTP") }, "2025-10-18T05:32:00Z", 13_800],
];

/** The way of the rows after their agents have replied. */
function enrich(of: typeof replies): string {
  const extract = createExtractor(agent);
  const attempts = of.map(([reply, ended, tookMs], row): Attempt & { outcome: Outcome } => {
    const endedAt = Date.parse(ended);
    return { row, number: 1, startedAt: endedAt - tookMs, endedAt, outcome: extract(reply), steps: [], artifacts: [] };
  });
  const anyFailed = attempts.some(({ outcome }) => outcome.status === "failed");
  const enricher = createEnricher({ mapping: batch.outputMapping, fields, header, agentVersion: "1.0.0", anyFailed });
  const { includeOriginal, formulaSafe } = batch.outputMapping;
  const writer = createTableWriter({ dialect: table.dialect, includeOriginal, formulaSafe, width: header.length });
  const [headerBytes = Buffer.alloc(0), ...rowBytes] = recordBytes(table).bytes;
  const width = header.length;
  writer.header({ bytes: headerBytes, width, cells: enricher.columns.map((text) => ({ text, isString: false })) });
  rowBytes.forEach((bytes, row) => {
    const attempt = attempts[row];
    writer.record({ bytes, width, cells: enricher.enrichRow(attempt === undefined ? { row } : { row, attempt }) });
  });
  return writer.take(true)?.toString() ?? "";
}

const columns =
  "building_number,street,postcode,full_address,success,exchange,cabinet,downstream_mbps,upstream_mbps,availability," +
  "service_type,screenshot_url,metadata,_status,_timestamp,_execution_time_ms";
const metadataCell = `"{""act_id"":""..."",""session_id"":""..."",""num_steps"":5}"`;

test("the original product's three rows are mapped to its agent's inputs", () => {
  const map = createMapper(batch.inputMapping, header, batch.dialect.ragged, agent);
  assert.deepEqual(
    rows.map((cells, index) => map({ index, line: index + 2, cells })),
    [
      {
        input: {
          building_number: "23",
          street: "High Street",
          postcode: "SW1A 1AA",
          full_address: "23 High Street London SW1A 1AA",
        },
      },
      { input: { building_number: "1", street: "Church View", postcode: "DN12 1RH" } },
      { input: { building_number: "45A", street: "Park Road", postcode: "E8 4LX" } },
    ],
  );
});

test("the original product's three replies, from each of the three places, give its output table", () => {
  assert.deepEqual(enrich(replies).split("\n"), [
    columns,
    `23,High Street,SW1A 1AA,23 High Street London SW1A 1AA,true,KINGSLAND GREEN,Cabinet 9,80,20,true,FTTC,${recording},${metadataCell},SUCCESS,2025-10-18T05:30:00Z,12500`,
    `1,Church View,DN12 1RH,,true,DONCASTER CENTRAL,Cabinet 15,67,19,true,FTTC,${recording},${metadataCell},SUCCESS,2025-10-18T05:31:00Z,11200`,
    `45A,Park Road,E8 4LX,,true,HACKNEY,Cabinet 23,300,50,true,FTTP,${recording},${metadataCell},SUCCESS,2025-10-18T05:32:00Z,13800`,
    "",
  ]);
});

test("a row whose agent returned no structured output keeps its address and says why", () => {
  const [first, , third] = replies;
  assert.ok(first !== undefined && third !== undefined);
  assert.deepEqual(
    enrich([first, [{ text: "I could not find it" }, "2025-10-18T05:31:00Z", 900], third])
      .split("\n")
      .slice(0, 3),
    [
      `${columns},_error_message`,
      `23,High Street,SW1A 1AA,23 High Street London SW1A 1AA,true,KINGSLAND GREEN,Cabinet 9,80,20,true,FTTC,${recording},${metadataCell},SUCCESS,2025-10-18T05:30:00Z,12500,`,
      "1,Church View,DN12 1RH,,,,,,,,,,,FAILED,2025-10-18T05:31:00Z,900,Agent did not return structured output",
    ],
  );
});
