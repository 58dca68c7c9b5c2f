import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { createTestIo } from "../../../test/fakes/io.ts";
import { callTool, openTestMcp, untilEnded, type TestMcp } from "../../../test/fakes/mcp-client.ts";
import { useWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";
import { runCli } from "../run-cli.ts";

describe("an assistant that runs a table", () => {
  let workspace: Workspace;
  let mcp: TestMcp;
  let client: Client;
  useWorkspace(12, (made) => (workspace = made));
  beforeEach(async () => {
    mcp = await openTestMcp(workspace);
    client = await mcp.connect();
  });
  afterEach(() => mcp.close());

  const start = { batch: "batch.json", name: "monday" };

  it("plans, starts, waits, looks, and reruns what failed", async () => {
    let mended = false;
    workspace.onRow = (n) => {
      if (n === 5 && !mended) throw new Error("not yet");
    };
    const plan = await callTool(client, "plan_batch", { batch: "batch.json" });
    assert.deepEqual(
      [plan.content["runnable"], plan.content["rows"], plan.content["agent"], plan.untrusted["columns"]],
      [true, 12, "doubler@1.0.0", ["n", "text"]],
    );
    assert.match(plan.text, /^The batch can run: 12 rows, /);

    const started = await callTool(client, "start_batch", start);
    assert.equal(started.content["name"], "monday");
    const ended = await untilEnded(client, "monday");
    assert.deepEqual(
      [ended.content["status"], ended.content["percent"], ended.content["rows"], ended.content["failures"]],
      [
        "succeeded",
        100,
        { total: 12, succeeded: 10, failed: 2, in_flight: 0, pending: 0 },
        [{ code: "AGENT_FAILED", rows: 2, may_succeed_when_rerun: true }],
      ],
    );
    const results = await callTool(client, "run_results", { run: "monday", columns: ["double", "n"], rows: "2,3" });
    assert.equal(results.content["output"], workspace.at("out.csv"));
    assert.deepEqual(results.untrusted["sample"], [
      [4, "2"],
      [null, "3"],
    ]);
    assert.deepEqual(results.untrusted["failure_examples"], [
      { code: "AGENT_FAILED", row: 3, line: 5, message: "no luck with 3" },
    ]);

    mended = true;
    await callTool(client, "rerun_failed", { run: "monday", codes: ["agent_failed"] });
    const rerun = await untilEnded(client, "monday");
    assert.deepEqual(rerun.content["rows"], { total: 12, succeeded: 11, failed: 1, in_flight: 0, pending: 0 });
    assert.match(await workspace.read("out.csv"), /^5,"row, 5",10,SUCCESS/m);
  });

  it("starts a run of one name once, however often it is asked to", async () => {
    const release = Promise.withResolvers<void>();
    const called: number[] = [];
    workspace.onRow = (n) => {
      called.push(n);
      return release.promise;
    };
    const first = await callTool(client, "start_batch", start);
    const second = await callTool(client, "start_batch", start);
    assert.equal(second.isError, false);
    assert.deepEqual([second.content["run"], second.content["status"]], [first.content["run"], "running"]);
    release.resolve();
    await untilEnded(client, "monday");
    const third = await callTool(client, "start_batch", start);
    assert.deepEqual([third.content["run"], third.content["status"]], [first.content["run"], "succeeded"]);
    assert.deepEqual(
      called.toSorted((a, b) => a - b),
      [...Array.from({ length: 12 }).keys()],
    );
    const other = await callTool(client, "start_batch", { ...start, limit: 2 });
    assert.deepEqual((other.content["error"] as { code: string }).code, "RUN_CONFLICT");
  });

  it("stops a run and goes on with it", async () => {
    const many = Array.from({ length: 1000 }, (_, n) => `${n}\n`).join("");
    await workspace.write("rows.csv", `n\n${many}`);
    let isStopped = false;
    const asked = Promise.withResolvers<void>();
    workspace.onRow = () => (isStopped ? undefined : asked.promise.then(() => wait(10)));
    await callTool(client, "start_batch", start);
    const stopping = await callTool(client, "stop_run", { run: "monday" });
    asked.resolve();
    assert.equal(stopping.isError, false);
    const stopped = await untilEnded(client, "monday");
    assert.equal(stopped.content["status"], "stopped");
    assert.match(String(stopped.content["next"]), /resume_run/);
    isStopped = true;
    await callTool(client, "resume_run", { run: "monday" });
    const ended = await untilEnded(client, "monday");
    assert.deepEqual([ended.content["status"], ended.content["percent"]], ["succeeded", 100]);
  });

  it("says that a run is paused, and lets it go on in the process that has it", async () => {
    const entered = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    workspace.onRow = () => {
      entered.resolve();
      return release.promise;
    };
    const io = createTestIo({ workingDirectory: workspace.folder });
    const running = runCli(["run", "batch.json", "--name", "tuesday"], io);
    await entered.promise;
    assert.equal(await runCli(["pause", "tuesday"], createTestIo({ workingDirectory: workspace.folder })), 0);
    while (!io.err().includes("Paused: no attempt starts")) await new Promise((resolve) => setImmediate(resolve));
    release.resolve();
    const paused = await callTool(client, "run_progress", { run: "tuesday", wait_seconds: 0 });
    assert.deepEqual([paused.content["status"], paused.content["paused"]], ["running", true]);
    assert.match(paused.text, /^Run \S+ is paused: .* No row starts until resume_run continues it\./);
    const resumed = await callTool(client, "resume_run", { run: "tuesday" });
    assert.match(resumed.text, /^The pause is lifted, and the run continues in its process\. Run \S+ /);
    assert.equal(resumed.content["paused"], undefined);
    assert.equal(await running, 3);
  });

  it("waits for news of a run that is going, and answers at once when asked to", async () => {
    const release = Promise.withResolvers<void>();
    workspace.onRow = () => release.promise;
    await callTool(client, "start_batch", start);
    const now = await callTool(client, "run_progress", { run: "last", wait_seconds: 0 });
    assert.deepEqual([now.content["status"], now.content["percent"]], ["running", 0]);
    let isAnswered = false;
    const news = callTool(client, "run_progress", { run: "last", wait_seconds: 45 }).finally(() => (isAnswered = true));
    await callTool(client, "list_runs");
    assert.equal(isAnswered, false);
    release.resolve();
    assert.notEqual((await news).content["percent"], 0);
  });

  it("shows a run to a second client", async () => {
    await callTool(client, "start_batch", start);
    const second = await mcp.connect();
    await untilEnded(second, "monday");
    const { runs } = (await callTool(second, "list_runs")).content as { runs: { name: string; status: string }[] };
    assert.deepEqual(
      runs.map(({ name, status }) => [name, status]),
      [["monday", "succeeded"]],
    );
  });

  it("drains its runs when it ends, says how to go on, and the next server goes on", async () => {
    const begun = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    workspace.onRow = () => {
      begun.resolve();
      return release.promise;
    };
    const { content } = await callTool(client, "start_batch", start);
    await begun.promise;
    const closed = mcp.close();
    release.resolve();
    await closed;
    assert.match(
      mcp.io.err(),
      new RegExp(`^Run ${String(content["run"])} is interrupted: \\d of 12 rows are final. rowcall resume `, "m"),
    );

    mcp = await openTestMcp(workspace);
    client = await mcp.connect();
    const left = await callTool(client, "run_progress", { run: "monday" });
    assert.equal(left.content["status"], "interrupted");
    await callTool(client, "resume_run", { run: "monday" });
    const ended = await untilEnded(client, "monday");
    assert.deepEqual(ended.content["rows"], { total: 12, succeeded: 11, failed: 1, in_flight: 0, pending: 0 });
  });

  it("tries one row, of the table or made up", async () => {
    const fourth = await callTool(client, "try_row", { batch: "batch.json", row: 4 });
    assert.deepEqual([fourth.content["status"], fourth.untrusted["output"]], ["succeeded", { double: 8 }]);
    const changed = await callTool(client, "try_row", { batch: "batch.json", row: 4, cells: { n: "13" } });
    assert.deepEqual([changed.content["code"], changed.untrusted["message"]], ["AGENT_FAILED", "no luck with 13"]);
    const stranger = await callTool(client, "try_row", { batch: "batch.json", row: 4, cells: { m: "1" } });
    assert.deepEqual([stranger.isError, (stranger.content["error"] as { code: string }).code], [true, "USAGE_INVALID"]);
  });

  it("lists and shows agents", async () => {
    const { agents } = (await callTool(client, "list_agents", { query: "DOUBL" })).content as { agents: object[] };
    assert.deepEqual(agents, [{ agent: "doubler", version: "1.0.0", kind: "function", adds: ["double"] }]);
    const shown = await callTool(client, "show_agent", { agent: "doubler" });
    assert.deepEqual([shown.content["agent"], shown.content["takes_batches"]], ["doubler@1.0.0", true]);
  });

  it("has a summary of each run as a resource, and a prompt", async () => {
    await callTool(client, "start_batch", start);
    await untilEnded(client, "monday");
    const { resources } = await client.listResources();
    const [summary] = (await client.readResource({ uri: resources[0]?.uri ?? "" })).contents;
    assert.ok(summary !== undefined && "text" in summary);
    assert.equal((JSON.parse(summary.text) as { status: string }).status, "succeeded");
    const prompt = await client.getPrompt({ name: "run_a_table", arguments: { batch: "batch.json" } });
    const [message] = prompt.messages;
    assert.ok(message?.content.type === "text");
    assert.match(message.content.text, /The batch file is "batch\.json"/);
  });
});
