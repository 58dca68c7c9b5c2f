// What a row costs when a function agent runs in processes of its own, beside the same run in one process: for an agent that answers at
// once, which shows the cost of handing over, and for one that takes 50 ms.
// Usage: node bench/isolation.ts [--rows 2000] [--slots 2] [--rounds 3]
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measureRun } from "./measure-run.ts";
import { median } from "./measure.ts";
import { publishFunction } from "./publish.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "2000" },
    slots: { type: "string", default: "2" },
    rounds: { type: "string", default: "3" },
  },
});
const [rows, slots, rounds] = [values.rows, values.slots, values.rounds].map(Number) as [number, number, number];
const scratch = await mkdtemp(join(tmpdir(), "rowcall-bench-"));
const registry = join(scratch, "registry");
await publishFunction(registry, "noop", ["success"]);
await publishFunction(registry, "waiting", ["ok"]);

/** Milliseconds a row, from the first attempt's start to the last one's end. */
async function measure(agent: string, many: number, isolation: "none" | "process"): Promise<number> {
  const data = await mkdtemp(join(scratch, "data-"));
  const input = join(data, "in.csv");
  await writeFile(input, `n\n${Array.from({ length: many }, (_, n) => `${n}\n`).join("")}`);
  const execution_config = { max_concurrency: slots };
  const batch = { agent_name: agent, agent_config: { isolation }, input, execution_config };
  return (await measureRun(registry, data, many, batch)) / many;
}

console.log(`${slots} rows at once; milliseconds a row, median of ${rounds} rounds`);
console.log(["agent", "in process", "isolated", "more", "ratio"].map((name) => name.padStart(12)).join(""));
for (const [agent, many] of [
  ["noop", rows],
  ["waiting", Math.ceil(rows / 10)],
] as const) {
  const took: Record<"none" | "process", number[]> = { none: [], process: [] };
  for (let round = 0; round < rounds; round += 1) {
    took.none.push(await measure(agent, many, "none"));
    took.process.push(await measure(agent, many, "process"));
  }
  const [inProcess, isolated] = [median(took.none), median(took.process)];
  const cells = [inProcess.toFixed(3), isolated.toFixed(3), (isolated - inProcess).toFixed(3)];
  console.log([agent, ...cells, (isolated / inProcess).toFixed(2)].map((cell) => cell.padStart(12)).join(""));
}
await rm(scratch, { recursive: true });
