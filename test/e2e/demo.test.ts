import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { glob, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parse } from "csv-parse/sync";
import { siteData } from "../../examples/broadband/site/data.ts";
import type { RowReport } from "../../src/core/engine.ts";
import type { Run } from "../../src/core/run.ts";

const { expectations } = siteData;
const pathOf = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** A record of a CSV as it is written and as it is read. */
interface CsvRecord {
  readonly raw: string;
  readonly record: Readonly<Record<string, string>>;
}

function readTable(path: string): readonly CsvRecord[] {
  return parse(readFileSync(path), { columns: true, raw: true }) as unknown as CsvRecord[];
}

describe("the demo, interrupted and resumed", () => {
  let folder: string;
  let interrupted: { readonly code: number; readonly run: Run; readonly rows: readonly RowReport[] };
  let resumed: { readonly code: number; readonly output: string; readonly rows: readonly RowReport[] };

  const start = (script: string, ...args: readonly string[]): ChildProcess =>
    spawn(process.execPath, [pathOf(script), ...args, "--data-dir", join(folder, "data")], {
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 570_000,
      killSignal: "SIGKILL",
    });

  async function end(child: ChildProcess): Promise<{ code: number; out: string }> {
    const [out, [code]] = await Promise.all([text(child.stdout!), once(child, "close") as Promise<[number]>]);
    return { code, out };
  }

  async function rows(): Promise<RowReport[]> {
    const { out } = await end(start("src/cli/main.ts", "rows", "last", "--json"));
    return out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as RowReport);
  }

  /** Until twenty rows have left their last picture. */
  async function underWay(child: ChildProcess): Promise<void> {
    const pictures = join(folder, "data", "recordings", "*", "*", "final.jpg");
    while ((await Array.fromAsync(glob(pictures))).length < 20) {
      assert.deepEqual([child.exitCode, child.signalCode], [null, null], "the demo ended by itself");
      await wait(20);
    }
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "rowcall demo "));
    // Short of the answer that takes 45 s, and far from the one that takes 15 s, so that a busy machine changes no outcome.
    const limit = ["--timeout-seconds", "40"];
    const child = start("examples/broadband/demo.ts", "--output", join(folder, "out/"), ...limit);
    const ending = end(child);
    await underWay(child);
    child.kill("SIGINT");
    const { code } = await ending;
    const show = await end(start("src/cli/main.ts", "show", "last", "--json"));
    interrupted = { code, run: JSON.parse(show.out) as Run, rows: await rows() };
  });
  before(async () => {
    const second = await end(start("examples/broadband/demo.ts", "--resume"));
    resumed = { code: second.code, output: second.out.trimEnd(), rows: await rows() };
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("ends with 130 at Ctrl-C, with rows done and rows to do and none in between", () => {
    const { counts } = interrupted.run;
    assert.equal(interrupted.code, 130);
    assert.equal(interrupted.run.status, "interrupted");
    assert.ok(counts.succeeded >= 20 && counts.failed >= 1 && counts.pending >= 1, JSON.stringify(counts));
    assert.equal(counts.inFlight, 0);
  });

  it("goes on with --resume, attempts nothing again that was done, and ends with 3", () => {
    assert.equal(resumed.code, 3);
    const done = interrupted.rows.filter(({ status }) => status !== "pending");
    assert.deepEqual(
      done.map(({ row }) => resumed.rows[row]),
      done,
    );
  });

  it("writes the original records byte for byte, the fields in the batch's order, and the metadata", () => {
    const [original, enriched] = [readTable(pathOf("examples/broadband/addresses.csv")), readTable(resumed.output)];
    assert.match(resumed.output, /\/out\/result-\d{4}(?:-\d\d){5}\.csv$/);
    assert.deepEqual(Object.keys(enriched[0]?.record ?? {}).slice(4), [
      ...["success", "exchange", "cabinet", "downstream_mbps", "upstream_mbps", "availability", "service_type"],
      ...["screenshot_url", "metadata", "_status", "_timestamp", "_execution_time_ms", "_error_message"],
    ]);
    assert.equal(enriched.length, original.length);
    for (const [row, { raw }] of original.entries()) {
      const body = raw.replace(/\r?\n$/, "");
      assert.ok(enriched[row]?.raw.startsWith(`${body},`), `row ${row} is ${enriched[row]?.raw} and not ${body},…`);
    }
  });

  it("leaves a picture of every attempt that opened the browser", () => {
    const attempts = resumed.rows.flatMap((report) => report.attempts).filter(({ steps }) => steps.length > 0);
    assert.ok(attempts.length > expectations.length);
    for (const { row, number, artifacts, outcome } of attempts) {
      // Once its time is up an attempt has two seconds to let go, in which a busy machine may take no picture.
      const isLate = outcome.status === "failed" && outcome.code === "TIMEOUT";
      const folders = artifacts.map(({ uri }) => new URL(uri).pathname.split("/").at(-2));
      const told = `row ${row}, attempt ${number}: ${JSON.stringify(outcome)}`;
      if (!isLate || folders.length > 0) assert.deepEqual(folders, [`${row}-${number}`], told);
      for (const { uri } of artifacts) assert.ok(statSync(new URL(uri)).size > 1000, uri);
    }
  });

  for (const [row, { scenario, input, expected }] of expectations.entries()) {
    it(`${scenario}: ${input.building_number} ${input.street}, ${input.postcode}`, () => {
      const outcome = resumed.rows[row]?.attempts.at(-1)?.outcome;
      const { record } = readTable(resumed.output)[row]!;
      assert.equal(record["_status"], expected.status);
      assert.match(record["_timestamp"]!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      if (expected.status === "FAILED") {
        assert.ok(outcome?.status === "failed", JSON.stringify(outcome));
        assert.equal(outcome.code, expected.code, outcome.message);
        assert.match(outcome.message, new RegExp(expected.message, "i"));
        assert.equal(record["_error_message"], outcome.message);
        assert.equal(record["success"], "");
        return;
      }
      assert.ok(outcome?.status === "succeeded", JSON.stringify(outcome));
      const { screenshot_url, metadata, ...fields } = outcome.output;
      assert.deepEqual(fields, expected.fields);
      assert.match(JSON.stringify(metadata), /"num_steps":\d+/);
      assert.ok(existsSync(new URL(String(screenshot_url))));
      const cells = Object.entries(fields).map(([name, value]) => [name, value === null ? "" : String(value)]);
      assert.deepEqual(Object.fromEntries(cells.map(([name = ""]) => [name, record[name]])), Object.fromEntries(cells));
      assert.equal(record["screenshot_url"], screenshot_url);
      assert.deepEqual(JSON.parse(record["metadata"]!), metadata);
      assert.equal(record["_error_message"], "");
    });
  }
});
