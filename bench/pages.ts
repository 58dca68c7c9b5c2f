// How long the pages of the dashboard take over runs of a small and a large table, side by side, and whether each keeps its budget.
// Usage: node bench/pages.ts [--small 10000] [--large 1000000] [--rounds 7]
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startServer } from "../src/server/start-server.ts";
import { createRowcallClient } from "../src/server/client.ts";
import { wire } from "../src/app/wire.ts";
import { median } from "./measure.ts";
import { publishFunction } from "./publish.ts";

const { values } = parseArgs({
  options: {
    small: { type: "string", default: "10000" },
    large: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "7" },
  },
});
const sizes = [Number(values.small), Number(values.large)] as const;
const scratch = await mkdtemp(join(tmpdir(), "rowcall-bench-"));
const registry = join(scratch, "registry");
await publishFunction(registry, "mixed", ["success", "exchange"]);
const wiring = wire({ workingDirectory: scratch, dataDirectory: join(scratch, "data"), registries: [registry] });
const server = await startServer({ wiring, host: "127.0.0.1", port: 0 });
const client = createRowcallClient({ url: server.address });

/** Runs a table of so many rows to its end; returns the run's id. */
async function runTable(rows: number): Promise<string> {
  const input = join(scratch, `${rows}.csv`);
  await writeFile(input, `n,street\n${Array.from({ length: rows }, (_, n) => `${n},High Street\n`).join("")}`);
  const { run } = await client.startRun({
    batch: {
      agent: "mixed",
      input,
      execution_config: { max_concurrency: 100, retry_strategy: { max_attempts: 0 } },
      recording: { level: "none" },
    },
  });
  for (;;) {
    const { run: now } = await client.getRun(run.id);
    if (now.status === "succeeded") return run.id;
    if (now.status !== "running") throw new Error(`The run of ${rows} rows is ${now.status}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

interface Tested {
  readonly name: string;
  readonly budgetMs: number;
  path(id: string, rows: number): string;
}

const tested: readonly Tested[] = [
  { name: "runs", budgetMs: 200, path: () => "/" },
  { name: "run, first look", budgetMs: 2000, path: (id) => `/runs/${id}` },
  { name: "run", budgetMs: 200, path: (id) => `/runs/${id}` },
  { name: "rows", budgetMs: 200, path: (id) => `/runs/${id}/rows` },
  { name: "last rows first", budgetMs: 200, path: (id) => `/runs/${id}/rows?descending=true` },
  { name: "failed rows", budgetMs: 200, path: (id) => `/runs/${id}/rows?status=failed` },
  { name: "rows with a code", budgetMs: 200, path: (id) => `/runs/${id}/rows?code=AGENT_FAILED` },
  { name: "slowest rows", budgetMs: 1500, path: (id) => `/runs/${id}/rows?order=duration&descending=true` },
  { name: "most attempts", budgetMs: 1500, path: (id) => `/runs/${id}/rows?order=attempts&descending=true` },
  { name: "search, found at once", budgetMs: 200, path: (id) => `/runs/${id}/rows?text=kingsland` },
  { name: "search, nothing found", budgetMs: 2000, path: (id) => `/runs/${id}/rows?text=nowhere` },
  { name: "a row", budgetMs: 200, path: (id, rows) => `/runs/${id}/rows/${rows - 2}` },
];

/** Milliseconds until the whole page is here. */
async function load(path: string): Promise<number> {
  const startedAt = performance.now();
  const response = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${server.token}` } });
  const text = await response.text();
  if (response.status !== 200 || !text.includes("</html>")) throw new Error(`${path}: ${response.status} ${text}`);
  return performance.now() - startedAt;
}

const [small, large] = [await runTable(sizes[0]), await runTable(sizes[1])];
// The code and the connection are warm; nothing has been read of either run.
for (let page = 0; page < 20; page += 1) await load("/agents");
console.log(
  `${"".padEnd(26)}${[`${sizes[0]} rows`, `${sizes[1]} rows`, "ratio", "budget", ""].map((name) => name.padStart(15)).join("")}`,
);
let isOver = false;
for (const { name, budgetMs, path } of tested) {
  // Only once is a look the first.
  const rounds = name.includes("first") ? 1 : Number(values.rounds);
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    times[0].push(await load(path(small, sizes[0])));
    times[1].push(await load(path(large, sizes[1])));
  }
  const [few, many] = times.map(median) as [number, number];
  const isKept = many <= budgetMs;
  isOver ||= !isKept;
  const cells = [
    `${few.toFixed(0)} ms`,
    `${many.toFixed(0)} ms`,
    (many / few).toFixed(1),
    `${budgetMs} ms`,
    isKept ? "kept" : "OVER",
  ];
  console.log(`${name.padEnd(26)}${cells.map((cell) => cell.padStart(15)).join("")}`);
}
await server.close();
await rm(scratch, { recursive: true });
process.exitCode = isOver ? 1 : 0;
