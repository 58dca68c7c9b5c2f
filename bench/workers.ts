// Rows per second with 1, 2 and 4 worker processes beside the same run in one process, for an agent that takes 50 ms: what a
// second worker brings, and what handing a row over costs.
// Usage: node bench/workers.ts [--rows 200] [--slots 4] [--rounds 3]
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeEndpointKeys } from "../src/server/stepfunctions/signature.ts";
import { activitiesPath, openActivityQueue } from "../src/runs/activity-queue.ts";
import { startActivityEndpoint } from "../test/fakes/activity-endpoint.ts";
import { startWorkerProcess } from "../test/fakes/worker-process.ts";
import { measureRun } from "./measure-run.ts";
import { median } from "./measure.ts";
import { publishFunction } from "./publish.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "200" },
    slots: { type: "string", default: "4" },
    rounds: { type: "string", default: "3" },
  },
});
const [rows, slots, rounds] = [values.rows, values.slots, values.rounds].map(Number) as [number, number, number];
const scratch = await mkdtemp(join(tmpdir(), "rowcall-bench-"));
const registry = join(scratch, "registry");
await publishFunction(registry, "waiting", ["ok"]);
const input = join(scratch, "in.csv");
await writeFile(input, `n\n${Array.from({ length: rows }, (_, n) => `${n}\n`).join("")}`);

/** Rows per second from the first attempt's start to the last one's end. */
async function measure(data: string, concurrency: number, dispatch: "in_process" | "activity"): Promise<number> {
  const execution_config = { max_concurrency: concurrency, dispatch };
  return (rows * 1000) / (await measureRun(registry, data, rows, { agent_name: "waiting", input, execution_config }));
}

async function measureWorkers(many: number): Promise<number> {
  const data = await mkdtemp(join(scratch, "data-"));
  await mkdir(data, { recursive: true });
  const queue = openActivityQueue(activitiesPath(data));
  queue.createActivity("waiting");
  const endpoint = await startActivityEndpoint(queue);
  const workers = Array.from({ length: many }, (_, n) =>
    startWorkerProcess(
      `w${n}`,
      { url: endpoint.url, keys: makeEndpointKeys() },
      endpoint.arnOf("waiting"),
      "--registry",
      registry,
      "--concurrency",
      String(slots),
    ),
  );
  try {
    await Promise.all(workers.map((worker) => worker.told((lines) => lines.some(({ type }) => type === "started"))));
    // As many rows again wait on the queue, so that no worker waits for the run.
    return await measure(data, many * slots * 2, "activity");
  } finally {
    for (const { child } of workers) child.kill("SIGTERM");
    await Promise.all(workers.map(({ ended }) => ended));
    await endpoint.close();
    queue.close();
  }
}

const ways: readonly { readonly name: string; run(): Promise<number>; readonly rates: number[] }[] = [
  {
    name: "one process",
    run: async () => measure(await mkdtemp(join(scratch, "data-")), slots, "in_process"),
    rates: [],
  },
  ...[1, 2, 4].map((many) => ({
    name: many === 1 ? "1 worker" : `${many} workers`,
    run: () => measureWorkers(many),
    rates: [],
  })),
];
console.log(`${rows} rows of 50 ms, ${slots} at once for each process`);
for (let round = 1; round <= rounds; round += 1) {
  for (const way of ways) {
    const rate = await way.run();
    way.rates.push(rate);
    // A busy disk makes this slow: what is measured shows as it comes.
    console.error(`round ${round} of ${rounds}, ${way.name}: ${rate.toFixed(0)} rows/s`);
  }
}

const base = median(ways[0]?.rates ?? []);
console.log(["way", "rows/s", "ratio"].map((name) => name.padStart(14)).join(""));
for (const { name, rates } of ways) {
  const rate = median(rates);
  console.log([name, rate.toFixed(0), (rate / base).toFixed(2)].map((cell) => cell.padStart(14)).join(""));
}
await rm(scratch, { recursive: true });
