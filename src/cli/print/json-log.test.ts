import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTestIo, type TestIo } from "../../../test/fakes/io.ts";
import { useWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";
import { withLog } from "./json-log.ts";
import { runCli } from "../run-cli.ts";

type Entry = Readonly<Record<string, unknown>>;

let workspace: Workspace;

const entriesOf = (io: TestIo): readonly Entry[] =>
  io
    .err()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Entry);

async function rowcall(...args: readonly string[]): Promise<{ code: number; io: TestIo; entries: readonly Entry[] }> {
  const io = createTestIo({ workingDirectory: workspace.folder, env: { ROWCALL_LOG: "json" } });
  const code = await runCli(args, io);
  return { code, io, entries: entriesOf(io) };
}

describe("ROWCALL_LOG=json", () => {
  useWorkspace(6, (made) => (workspace = made));

  it("makes every line of a run one object with a time, a level and a message", async () => {
    const { code, io, entries } = await rowcall("run", "batch.json");
    assert.deepEqual([code, io.out()], [3, `${workspace.at("out.csv")}\n`]);
    for (const { time, level, message } of entries) {
      assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.ok(["info", "warn", "error"].includes(String(level)));
      assert.ok(typeof message === "string");
    }
    const [started, failed, ended] = entries;
    assert.deepEqual(
      entries.map(({ event, level }) => [event, level]),
      [
        ["run_started", "info"],
        ["row_failed", "warn"],
        ["run_ended", "warn"],
      ],
    );
    const run = started?.["run"];
    assert.deepEqual([failed?.["run"], ended?.["run"]], [run, run]);
    assert.deepEqual(
      [failed?.["row"], failed?.["attempt"], failed?.["code"], failed?.["message"]],
      [3, 1, "AGENT_FAILED", "no luck with 3"],
    );
    assert.equal(ended?.["status"], "succeeded");
    assert.deepEqual(ended["counts"], { total: 6, succeeded: 5, failed: 1, inFlight: 0, pending: 0 });
    assert.equal(ended["output"], workspace.at("out.csv"));
  });

  it("keeps to warnings and errors with --quiet, and serves resume and rerun alike", async () => {
    assert.deepEqual(
      (await rowcall("run", "batch.json", "--quiet")).entries.map(({ event }) => event),
      ["row_failed"],
    );
    const shown = await rowcall("resume", "last");
    assert.equal(shown.entries.length, 1);
    assert.match(String(shown.entries[0]?.["message"]), /^Run \S+ had already ended: succeeded$/);
    const again = await rowcall("rerun", "last", "--failed");
    assert.deepEqual(
      again.entries.map(({ event }) => event),
      ["run_started", "row_failed", "run_ended"],
    );
  });

  it("tells attempts that are made again as news, not as a warning", async () => {
    let isFirst = true;
    workspace.onRow = (n) => {
      if (n !== 0 || !isFirst) return;
      isFirst = false;
      throw new Error("not yet");
    };
    const retry_strategy = { max_attempts: 1, interval_seconds: 0.001 };
    await workspace.write("batch.json", {
      agent: "doubler",
      input: "rows.csv",
      output: "out.csv",
      execution_config: { retry_strategy },
    });
    const { entries } = await rowcall("run", "batch.json", "--limit", "1");
    const failed = entries.find(({ event }) => event === "attempt_failed");
    assert.deepEqual([failed?.["level"], failed?.["row"], failed?.["message"]], ["info", 0, "not yet"]);
  });

  it("keeps the lines whole when the table is on standard output", async () => {
    const { io, entries } = await rowcall("run", "batch.json", "--output", "-", "--json");
    assert.match(io.out(), /^n,text,/);
    const result = entries.find(({ event }) => event === "result")?.["result"] as Entry;
    assert.equal(result["status"], "succeeded");
  });

  it("tells an error with its code and hint, with --json too", async () => {
    for (const more of [[], ["--json"]]) {
      const { code, entries } = await rowcall("run", "nothing.json", ...more);
      assert.equal(code, 2);
      assert.equal(entries.length, 1);
      assert.deepEqual([entries[0]?.["level"], entries[0]?.["code"]], ["error", "BATCH_NOT_FOUND"]);
      assert.ok(typeof entries[0]?.["hint"] === "string");
    }
    const mistyped = await rowcall("run", "batch.json", "--max-concurency", "2");
    assert.deepEqual([mistyped.code, mistyped.entries[0]?.["code"]], [2, "USAGE_INVALID"]);
  });

  it("makes entries of what is written as text", () => {
    const io = createTestIo({ env: { ROWCALL_LOG: "json" } });
    const { stderr } = withLog(io, () => 0);
    stderr.write("\u001b[33mwarning:\u001b[39m It is late\n\u001b[36mhint:\u001b[39m Go to bed\n\n");
    stderr.write("in ");
    stderr.write("pieces\n");
    const time = "1970-01-01T00:00:00.000Z";
    assert.deepEqual(entriesOf(io), [
      { time, level: "warn", message: "It is late", hint: "Go to bed" },
      { time, level: "info", message: "in pieces" },
    ]);
  });

  it("is an error when it names no format", async () => {
    const io = createTestIo({ workingDirectory: workspace.folder, env: { ROWCALL_LOG: "jsn" } });
    assert.equal(await runCli(["runs"], io), 2);
    assert.match(
      io.err(),
      /^error: ROWCALL_LOG is "jsn", which is no format of the log\nhint: Use one of: text, json\.\n$/,
    );
  });
});
