// How long a run takes beside the ideal ceil(rows / concurrency) x latency, for agents that take 100 ms.
// Usage: node bench/makespan.ts [concurrency ...]    (default 10 100 1000)
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseBatch } from "../src/core/batch-file.ts";
import { openEngine, wire } from "../src/app/wire.ts";
import { publishFunction } from "./publish.ts";

const widths = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [10, 100, 1000];
const latencyMs = 100;
const rounds = 50;
const scratch = await mkdtemp(join(tmpdir(), "rowcall-bench-"));
const registry = join(scratch, "registry");
await publishFunction(registry, "slow", ["ok"]);

console.log(["concurrency", "rows", "ideal s", "makespan s", "over ideal"].map((name) => name.padStart(12)).join(""));
for (const width of widths) {
  const rows = width * rounds;
  const input = join(scratch, `in-${width}.csv`);
  await writeFile(input, `n\n${Array.from({ length: rows }, (_, n) => `${n}\n`).join("")}`);
  const engine = await openEngine(wire({ registries: [registry], dataDirectory: join(scratch, `data-${width}`) }));
  const batch = parseBatch(
    {
      agent_name: "slow",
      input,
      output: join(scratch, `out-${width}.csv`),
      execution_config: { max_concurrency: width },
    },
    "batch",
  );
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  // From the first attempt's start to the last one's end: staging and writing are the other benchmark's.
  const run = await engine.start(
    { batch },
    {
      onEvent: (event) => {
        if (event.type !== "attempt") return;
        first = Math.min(first, event.attempt.startedAt);
        last = Math.max(last, event.attempt.endedAt);
      },
    },
  );
  if (run.counts.succeeded !== rows) throw new Error(`${run.counts.failed} rows failed`);
  await engine.close();
  const ideal = (Math.ceil(rows / width) * latencyMs) / 1000;
  const makespan = (last - first) / 1000;
  const cells = [width, rows, ideal.toFixed(2), makespan.toFixed(2), `${((makespan / ideal - 1) * 100).toFixed(1)} %`];
  console.log(cells.map((cell) => String(cell).padStart(12)).join(""));
}
await rm(scratch, { recursive: true });
