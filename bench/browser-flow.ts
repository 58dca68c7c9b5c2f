// The browser flow per row beside the Playwright script that a user would write by hand: same browser binary, same site, a
// context per row, blocks of rows by turns, so that a noisy machine is noisy for all. Then whether many rows slow it down.
// Usage: node bench/browser-flow.ts [--blocks 8] [--rows 24] [--concurrency 4] [--long 200]
import { parseArgs } from "node:util";
import { openBrowserAgent } from "../src/agents/browser-agent.ts";
import { findChromium } from "../src/agents/browser/chromium/chromium.ts";
import { parseAgent, type Invoker, type RecordingLevel } from "../src/core/agent.ts";
import type { JsonObject } from "../src/core/json.ts";
import { parseTemplateDocument } from "../src/core/template.ts";
import { addresses, startFlowSite } from "./browser-flow-site.ts";
import { median } from "./measure.ts";
import { doPlainRow, launchPlain } from "./peers/plain-playwright.ts";

const { values } = parseArgs({
  options: {
    blocks: { type: "string", default: "8" },
    rows: { type: "string", default: "24" },
    concurrency: { type: "string", default: "4" },
    long: { type: "string", default: "200" },
  },
});
const [blocks, rowsPerBlock, concurrency, longRows] = [values.blocks, values.rows, values.concurrency, values.long].map(
  Number,
) as [number, number, number, number];

/** Does one row; checks the answer, so that nobody is fast by doing less. */
type DoRow = (row: number) => Promise<void>;

interface Way {
  readonly name: string;
  readonly goal: number;
  readonly doRow: DoRow;
  readonly blockMs: number[];
}

const site = await startFlowSite();
const binary = await findChromium({});
const plainBrowser = await launchPlain(binary);
const unrecorded = await openAgent("none");
const recorded = await openAgent("screenshot");
try {
  const ways: readonly Way[] = [
    {
      name: "plain Playwright locators",
      goal: 1,
      doRow: async (row) => check(await doPlainRow(plainBrowser, site.origin, postcodeOf(row), addressOf(row)), row),
      blockMs: [],
    },
    { name: "rowcall, no recording", goal: 1.1, doRow: agentRow(unrecorded), blockMs: [] },
    { name: "rowcall, screenshots (default)", goal: 1.3, doRow: agentRow(recorded), blockMs: [] },
  ];
  for (const way of ways) await timeRows(way.doRow, 8);
  await timeByTurns(ways, blocks, rowsPerBlock);
  print(`${blocks} blocks of ${rowsPerBlock} rows, ${concurrency} at once`, ways);

  const served = 8 + blocks * rowsPerBlock;
  const missing = Math.max(0, longRows - served);
  for (const agent of [unrecorded, recorded]) await timeRows(agentRow(agent), missing);
  await compareAges("none", "no recording", unrecorded, served + missing);
  await compareAges("screenshot", "screenshots", recorded, served + missing);
} finally {
  await Promise.all([unrecorded.close(), recorded.close(), plainBrowser.close()]);
  await site.close();
}

function openAgent(recording: RecordingLevel): Promise<Invoker> {
  const template = {
    template_id: "flow",
    version: "1.0.0",
    starting_page: site.origin,
    steps: [
      { action: "fill", locator: { label: "Postcode" }, value: "{{postcode}}" },
      { action: "click", locator: { role: "button", name: "Find" } },
      { action: "select", locator: { label: "Address" }, option: "{{address}}" },
      { action: "click", locator: { role: "button", name: "Show result" } },
      {
        action: "extract",
        tables: { speeds: { columns: ["Downstream", "Upstream", "Availability"] } },
        fields: {
          exchange: { locator: { css: "#exchange" } },
          down: { table: "speeds", row: "VDSL Range A", column: "Downstream", type: "number" },
          up: { table: "speeds", row: "VDSL Range A", column: "Upstream", type: "number" },
        },
      },
    ],
  };
  const definition = {
    agent_name: "flow",
    version: "1.0.0",
    kind: "browser",
    config: { template: "flow@1.0.0" },
    structured_output: { enabled: true, output_fields: ["exchange"] },
  };
  return openBrowserAgent(parseAgent(definition, "agent"), {
    template: async () => parseTemplateDocument(template, "template flow"),
    secret: () => undefined,
    concurrency,
    recording,
    aws: { endpoints: {} },
    baseDirectory: process.cwd(),
  });
}

function agentRow(invoker: Invoker): DoRow {
  const artifacts = { save: async (name: string) => `memory:/${name}`, step: () => undefined };
  return async (row) => {
    const context = { signal: new AbortController().signal, runId: "bench", row, attempt: 1, artifacts };
    const reply = (await invoker.invoke({ postcode: postcodeOf(row), address: addressOf(row) }, context)) as {
      readonly structured_output: JsonObject;
    };
    check(reply.structured_output, row);
  };
}

function postcodeOf(row: number): string {
  return `AB${row % 90} 1CD`;
}

function addressOf(row: number): string {
  return `${addresses[row % addresses.length]}, ${postcodeOf(row)}`;
}

function check(output: JsonObject, row: number): void {
  const expected = JSON.stringify({ exchange: `ANYTOWN ${(row % addresses.length) + 1}`, down: 80, up: 20 });
  if (JSON.stringify(output) !== expected)
    throw new Error(`Row ${row}: ${JSON.stringify(output)} instead of ${expected}`);
}

/** Wall time by row, at the given concurrency. */
async function timeRows(doRow: DoRow, rows: number): Promise<number> {
  const startedAt = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < rows) {
      const row = next;
      next += 1;
      await doRow(row);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return (performance.now() - startedAt) / rows;
}

/** The same rows by turns with an agent that has many rows behind it and with a fresh one. */
async function compareAges(recording: RecordingLevel, name: string, old: Invoker, oldRows: number): Promise<void> {
  const fresh = await openAgent(recording);
  try {
    const goal = 1;
    const ways: Way[] = [
      { name: `${name}, rows 9-56`, goal, doRow: agentRow(fresh), blockMs: [] },
      { name: `${name}, rows ${oldRows + 1}-${oldRows + 48}`, goal, doRow: agentRow(old), blockMs: [] },
    ];
    await timeRows(agentRow(fresh), 8);
    await timeByTurns(ways, 6, 8);
    print("Slow-down with many rows behind", ways);
  } finally {
    await fresh.close();
  }
}

async function timeByTurns(ways: readonly Way[], rounds: number, rows: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    // Another way goes first each time.
    for (let turn = 0; turn < ways.length; turn += 1) {
      const way = ways[(round + turn) % ways.length]!;
      way.blockMs.push(await timeRows(way.doRow, rows));
    }
  }
}

function print(title: string, ways: readonly Way[]): void {
  const first = ways[0]!;
  printLine(title, "ms per row", "against first", "goal");
  for (const way of ways) {
    // Each block against the first way's of the same round.
    const ratio = median(way.blockMs.map((ms, round) => ms / first.blockMs[round]!));
    const goal = way === first ? "" : `at most ${way.goal.toFixed(2)}`;
    printLine(way.name, median(way.blockMs).toFixed(0), ratio.toFixed(2), goal);
  }
}

function printLine(name: string, ...cells: readonly string[]): void {
  console.log(name.padEnd(44) + cells.map((cell) => cell.padStart(15)).join(""));
}
