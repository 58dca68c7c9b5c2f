// Prepare or Finish once, as its function in Lambda calls it, over a folder in place of S3; what it did when goes to a file.
// Usage: node bench/run-function.ts prepare|finish FOLDER REPORT
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { finishRun } from "../src/engines/aws/finish.ts";
import type { FunctionSetup } from "../src/engines/aws/function-setup.ts";
import { prepareRun, type Plan } from "../src/engines/aws/prepare.ts";
import { wire } from "../src/app/wire.ts";
import { openBucketStore, type StoreMark } from "./bucket-store.ts";

/** What one call did. */
export interface FunctionReport {
  readonly marks: readonly StoreMark[];
  /** Largest size of the working folder, in bytes, whenever a read or write began or ended. */
  readonly diskBytes: number;
  /** Seconds that the call took, start of the process left out. */
  readonly seconds: number;
}

const [name, folder = "", report = ""] = process.argv.slice(2);
const planFile = join(folder, "plan.json");
const workDirectory = join(folder, "tmp");
mkdirSync(workDirectory, { recursive: true });
const marks: StoreMark[] = [];
let diskBytes = 0;

const { services } = wire({ registries: [new URL("../registry", import.meta.url).pathname] });
const setup: FunctionSetup = {
  services: { ...services, store: openBucketStore(folder, note) },
  runsUri: "s3://bench/runs/",
  recordingsPrefix: "s3://bench-recordings/",
  agentMachineArn: "arn:aws:states:eu-west-1:123456789012:stateMachine:agent",
  workerWaitSeconds: 3600,
  workDirectory,
};

function note(mark: StoreMark): void {
  marks.push(mark);
  const sizes = readdirSync(workDirectory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).size);
  diskBytes = Math.max(
    diskBytes,
    sizes.reduce((sum, size) => sum + size, 0),
  );
}

const startedAt = performance.now();
if (name === "prepare") {
  const plan = await prepareRun(setup, {
    execution: "arn:aws:states:eu-west-1:123456789012:execution:batch-processor-prod:bench",
    started_at: Date.UTC(2026, 0, 1),
    input: {
      config_s3_uri: "s3://bench/configs/batch.json",
      input_csv_s3_uri: "s3://bench/inputs/in.csv",
      output_s3_prefix: "s3://bench/outputs/",
    },
  });
  writeFileSync(planFile, JSON.stringify(plan));
} else {
  const { run } = JSON.parse(readFileSync(planFile, "utf8")) as Plan;
  const { run: finished } = await finishRun(setup, { run, stopped: null });
  if (finished.counts.pending > 0) throw new Error(`${finished.counts.pending} rows are pending`);
}
const seconds = (performance.now() - startedAt) / 1000;
writeFileSync(report, JSON.stringify({ marks, diskBytes, seconds } satisfies FunctionReport));
