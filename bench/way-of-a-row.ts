// The whole way of a row with an agent that does nothing, beside a script written by hand.
// Usage: node bench/way-of-a-row.ts [rows ...]    (default 10000 100000 1000000)
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeAddresses } from "./addresses.ts";
import { measureProcess, medianMeasurement, type Measurement } from "./measure.ts";
import { publishFunction } from "./publish.ts";

const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [10_000, 100_000, 1_000_000];
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const scratch = await mkdtemp(join(tmpdir(), "rowcall-bench-"));

async function writeBatch(): Promise<{ batch: string; registry: string }> {
  const registry = join(scratch, "registry");
  await publishFunction(registry, "noop", ["success", "exchange", "cabinet", "downstream_mbps", "upstream_mbps"]);
  const batch = join(scratch, "batch.json");
  await writeFile(
    batch,
    JSON.stringify({ agent_name: "noop", execution_config: { max_concurrency: 100 }, recording: { level: "none" } }),
  );
  return { batch, registry };
}

const { batch, registry } = await writeBatch();
console.log(["rows", "", "rows/s", "CPU s", "peak MB"].map((name) => name.padStart(12)).join(""));
for (const rows of sizes) {
  const input = join(scratch, `in-${rows}.csv`);
  const output = join(scratch, "out.csv");
  await writeAddresses(input, rows);
  const script: Measurement[] = [];
  const rowcall: Measurement[] = [];
  // In turns, so that a busy moment of the machine falls on both.
  for (let turn = 0; turn < (rows > 200_000 ? 1 : 3); turn += 1) {
    script.push(
      await measureProcess(scratch, here("./peers/plain-script.ts"), [input, output, here("./noop-agent.ts")]),
    );
    const data = join(scratch, "data");
    const args = [
      "run",
      batch,
      "--input",
      input,
      "--output",
      output,
      "--registry",
      registry,
      "--data-dir",
      data,
      "--force",
      "--quiet",
    ];
    rowcall.push(await measureProcess(scratch, here("../src/cli/main.ts"), args));
    await rm(data, { recursive: true });
  }
  const [byHand, ours] = [medianMeasurement(script), medianMeasurement(rowcall)];
  const line = (name: string, { seconds, cpuSeconds, peakMb }: Measurement): string =>
    [String(rows), name, Math.round(rows / seconds), cpuSeconds.toFixed(2), Math.round(peakMb)]
      .map((cell) => String(cell).padStart(12))
      .join("");
  console.log(line("script", byHand));
  console.log(`${line("rowcall", ours)}   ${(byHand.seconds / ours.seconds).toFixed(2)} x the script's rows/s`);
  await rm(input);
}
await rm(scratch, { recursive: true });
