import { once } from "node:events";
import { createReadStream, createWriteStream, type WriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { AttemptReply } from "../src/attempt/attempt-answer.ts";
import type { JsonObject } from "../src/core/json.ts";

// As large as the map's writer makes them.
const fileBytes = 8 * 1024 * 1024;
const startedAt = Date.UTC(2026, 0, 1);
// Rows end in about the order in which they began: within so many, in any.
const disorder = 500;
// One row in so many fails.
const failing = 20;

/** A row as Prepare writes it. */
interface Item extends JsonObject {
  readonly row: number;
  readonly attempt: number;
}

/**
 * Writes what the map would leave of a run: a file for each 8 MiB of outputs or failures, and a manifest.
 *
 * @param bucket - folder of the bucket
 * @param rowsKey - where the run's rows are
 * @param prefix - where results go
 */
export async function writeResults(bucket: string, rowsKey: string, prefix: string): Promise<void> {
  const folder = `${prefix}/bench`;
  await mkdir(join(bucket, folder), { recursive: true });
  const succeeded = openParts(bucket, `${folder}/SUCCEEDED`);
  const failed = openParts(bucket, `${folder}/FAILED`);
  let waiting: Item[] = [];
  const flush = async (): Promise<void> => {
    for (const item of shuffled(waiting)) {
      const isFailed = item.row % failing === 7;
      await (isFailed ? failed : succeeded).add(JSON.stringify(isFailed ? failureOf(item) : outputOf(item)));
    }
    waiting = [];
  };
  for await (const line of createInterface(createReadStream(join(bucket, rowsKey)))) {
    waiting.push(JSON.parse(line) as Item);
    if (waiting.length === disorder) await flush();
  }
  await flush();
  const manifest = {
    DestinationBucket: "bench",
    MapRunArn: "arn:aws:states:eu-west-1:123456789012:mapRun:batch-processor-prod/ProcessRows:bench",
    ResultFiles: { SUCCEEDED: await succeeded.close(), FAILED: await failed.close(), PENDING: [] },
  };
  await writeFile(join(bucket, folder, "manifest.json"), JSON.stringify(manifest));
}

interface Parts {
  add(line: string): Promise<void>;
  /** @returns the files as a manifest names them */
  close(): Promise<JsonObject[]>;
}

function openParts(bucket: string, prefix: string): Parts {
  const written: JsonObject[] = [];
  let file: WriteStream | undefined;
  let bytes = 0;
  const end = async (): Promise<void> => {
    if (file === undefined) return;
    file.end();
    await once(file, "close");
    file = undefined;
  };
  return {
    add: async (line) => {
      const size = Buffer.byteLength(line) + 1;
      if (bytes + size > fileBytes) await end();
      if (file === undefined) {
        const key = `${prefix}_${written.length}.jsonl`;
        file = createWriteStream(join(bucket, key));
        written.push({ Key: key });
        bytes = 0;
      }
      bytes += size;
      if (!file.write(`${line}\n`)) await once(file, "drain");
    },
    close: async () => {
      await end();
      return written;
    },
  };
}

// As the row's own execution puts it, around what a worker answers.
function outputOf({ row, attempt }: Item): JsonObject {
  const begun = startedAt + row * 10;
  const reply: AttemptReply = {
    structured_output: {
      success: true,
      exchange: "KINGSLAND GREEN",
      cabinet: `Cabinet ${row % 90}`,
      downstream_mbps: 80,
      upstream_mbps: 20,
      availability: true,
      service_type: "FTTC",
      screenshot_url: `s3://bench-recordings/run/rows/${row}/1/final.png`,
      metadata: { act_id: `act-${row}`, session_id: `session-${row}`, num_steps: 5 },
    },
    attempt: recordOf(begun, row),
  };
  return {
    row,
    attempt,
    started_at: begun,
    ended_at: begun + 12_500,
    reply: reply as unknown as JsonObject,
  };
}

// As the map describes a child that failed.
function failureOf(item: Item): JsonObject {
  const { row, attempt } = item;
  const begun = startedAt + row * 10;
  const arn = `arn:aws:states:eu-west-1:123456789012:execution:batch-processor-prod/ProcessRows:${row}`;
  return {
    Cause: JSON.stringify({
      message: "The site says that there is no such address",
      started_at: begun,
      ended_at: begun + 9000,
      attempt: recordOf(begun, row),
      attempt_number: attempt,
    }),
    Error: "AGENT_FAILED",
    ExecutionArn: arn,
    Input: JSON.stringify({ ...item, failures: 0, losses: 0, batch: { run_id: "bench" } }),
    InputDetails: { Included: true },
    Name: `${row}`,
    RedriveCount: 0,
    RedriveStatus: "REDRIVABLE",
    StartDate: new Date(begun).toISOString(),
    StateMachineArn: arn.replace(":execution:", ":stateMachine:"),
    Status: "FAILED",
    StopDate: new Date(begun + 9000).toISOString(),
  };
}

function recordOf(begun: number, row: number): NonNullable<AttemptReply["attempt"]> {
  return {
    started_at: begun,
    ended_at: begun + 9000,
    steps: ["Open the checker", "Enter the address", "Choose the address", "Wait for the result", "Read the table"].map(
      (name, index) => ({ name, status: "done", durationMs: 900 + index * 100 }),
    ),
    artifacts: [
      { name: "final.png", uri: `s3://bench-recordings/run/rows/${row}/1/final.png`, contentType: "image/png" },
    ],
  };
}

// The same order each time.
function shuffled<T>(items: readonly T[]): T[] {
  let state = 42;
  const all = [...items];
  for (let last = all.length - 1; last > 0; last -= 1) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    const other = state % (last + 1);
    [all[last], all[other]] = [all[other] as T, all[last] as T];
  }
  return all;
}
