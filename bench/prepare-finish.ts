// Prepare and Finish of the batch processor on AWS, each in a process of its own, over a folder in place of S3: what they take of
// Lambda's 15 minutes, memory and disk.
// Usage: node bench/prepare-finish.ts [rows ...]    (default 10000 100000 1000000)
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plan } from "../src/engines/aws/prepare.ts";
import { writeAddresses } from "./addresses.ts";
import { measureProcess, type Measurement } from "./measure.ts";
import type { FunctionReport } from "./run-function.ts";
import { writeResults } from "./write-results.ts";

const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [10_000, 100_000, 1_000_000];
const script = fileURLToPath(new URL("./run-function.ts", import.meta.url));
const limitSeconds = 900;
// What one function gets out of S3, roughly, with one stream.
const networkBytesPerSecond = 70e6;

const batch = {
  agent_name: "broadband-availability-bt-wholesale",
  input_mapping: {
    column_mappings: ["building_number", "street", "postcode", "full_address"].map((name) => ({
      csv_column: name,
      agent_input_field: name,
      required: name !== "full_address",
    })),
  },
};

interface Run extends FunctionReport {
  readonly measured: Measurement;
}

async function call(name: "prepare" | "finish", folder: string): Promise<Run> {
  const report = join(folder, "report.json");
  const measured = await measureProcess(folder, script, [name, folder, report]);
  return { ...(JSON.parse(await readFile(report, "utf8")) as FunctionReport), measured };
}

// Time belongs to what was begun last; what lies between reads and writes has a name of its own.
function phases({ marks, seconds }: FunctionReport, between: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const first = marks[0]?.at ?? 0;
  for (const [index, { what, edge, at }] of marks.entries()) {
    const next = marks[index + 1]?.at ?? first + seconds;
    const name = edge === "begin" ? phaseOf(what) : isBulk(marks[index + 1]?.what) ? phaseOf(what) : between;
    found.set(name, (found.get(name) ?? 0) + next - at);
  }
  return found;
}

function phaseOf(what: string): string {
  if (what.includes("/inputs/")) return "stage the table";
  if (what.includes("/results/")) return "gather the results";
  if (what.includes("/outputs/")) return "write the output";
  if (what.endsWith("rows.jsonl")) return "map and write the rows";
  if (what.endsWith("attempts.jsonl")) return "write the attempts";
  return "the table to S3 or back";
}

function isBulk(what = ""): boolean {
  return what.includes("/results/");
}

const bytesOf = ({ marks }: FunctionReport): number => marks.reduce((sum, { bytes }) => sum + bytes, 0);

console.log(
  ["rows", "", "rows/s", "seconds", "of 15 min", "peak MB", "/tmp MB", "S3 MB", "+ network s"]
    .map((name) => name.padStart(12))
    .join(""),
);
for (const rows of sizes) {
  const scratch = await mkdtemp(join(tmpdir(), "rowcall-bench-"));
  const bucket = join(scratch, "bench");
  for (const name of ["inputs", "configs"]) await mkdir(join(bucket, name), { recursive: true });
  await writeAddresses(join(bucket, "inputs/in.csv"), rows);
  await writeFile(join(bucket, "configs/batch.json"), JSON.stringify(batch));
  const prepared = await call("prepare", scratch);
  const plan = JSON.parse(await readFile(join(scratch, "plan.json"), "utf8")) as Plan;
  await writeResults(bucket, plan.rows_key, plan.results_prefix);
  const finished = await call("finish", scratch);
  for (const [name, run, between] of [
    ["Prepare", prepared, "batch and agent"],
    ["Finish", finished, "rows never mapped"],
  ] as const) {
    const { measured, seconds, diskBytes } = run;
    const cells = [
      rows,
      name,
      Math.round(rows / seconds),
      seconds.toFixed(1),
      `${((seconds / limitSeconds) * 100).toFixed(1)} %`,
      Math.round(measured.peakMb),
      Math.round(diskBytes / 1e6),
      Math.round(bytesOf(run) / 1e6),
      (bytesOf(run) / networkBytesPerSecond).toFixed(1),
    ];
    console.log(cells.map((cell) => String(cell).padStart(12)).join(""));
    const shares = [...phases(run, between)].toSorted(([, a], [, b]) => b - a);
    console.log(
      `${"".padStart(24)}${shares.map(([phase, took]) => `${phase} ${((took / seconds) * 100).toFixed(0)} %`).join(", ")}`,
    );
  }
  await rm(scratch, { recursive: true });
}
