import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { batchOf, openTestServer, testToken, type TestServer } from "../../test/fakes/server.ts";
import { useWorkspace, type Workspace } from "../../test/fakes/workspace.ts";
import type { JsonObject } from "../core/json.ts";
import { createRowcallClient, type RowcallClient } from "./client.ts";
import { listen, type Listening } from "./listen.ts";

describe("the client", () => {
  let workspace: Workspace;
  let server: TestServer;
  let listening: Listening;
  let client: RowcallClient;
  useWorkspace(30, (made) => (workspace = made));
  beforeEach(async () => {
    server = await openTestServer(workspace);
    listening = await listen(server.app.fetch, { host: "127.0.0.1", port: 0 });
    client = createRowcallClient({ url: `${listening.url}/?token=${testToken}` });
  });
  afterEach(async () => {
    await listening.close();
    await server.end();
  });
  const textOf = (stream: ReadableStream<Uint8Array>): Promise<string> => new Response(stream).text();

  it("takes a table from upload to download, and watches it", async () => {
    const table = await client.uploadTable(Buffer.from(await workspace.read("rows.csv")), "my rows.csv");
    assert.deepEqual([table.header, table.rows.length], [["n", "text"], 5]);
    const execution_config = { retry_strategy: { max_attempts: 0 } };
    const batch = { agent: "doubler", input: table.inputUri, execution_config };
    const plan = await client.planBatch({ batch, sampleSize: 1 });
    assert.deepEqual([plan.runnable, plan.rows, plan.sample.length], [true, 30, 1]);
    const sample = await client.startRun({ batch, limit: 2 });
    await server.until(sample.run.id, ({ status }) => status === "succeeded");

    const leaving = new AbortController();
    const gate = Promise.withResolvers<void>();
    workspace.onRow = () => gate.promise;
    const { run } = await client.startRun({ batch }, "key-1");
    const statuses: string[] = [];
    for await (const { type, data } of client.events({ run: run.id, signal: leaving.signal })) {
      const seen = data as { run?: { status: string }; runs?: { status: string }[] };
      statuses.push(`${type} ${(seen.run ?? seen.runs?.[0])?.status}`);
      gate.resolve();
      if (seen.run?.status === "succeeded") leaving.abort();
    }
    assert.equal(statuses[0], "snapshot running");
    assert.equal(statuses.at(-1), "run succeeded");
    const repeated = await client.startRun({ batch }, "key-1");
    assert.equal(repeated.run.id, run.id);
    await assert.rejects(client.startRun({ batch, limit: 1 }, "key-1"), { code: "KEY_REUSED" });

    const survey = await client.surveyRun(run.id);
    assert.deepEqual(
      survey.failures.map(({ code, count }) => [code, count]),
      [["AGENT_FAILED", 3]],
    );
    const page = await client.listRows(run.id, { status: "failed", limit: 2 });
    assert.deepEqual(
      page.rows.map(({ row }) => row),
      [3, 13],
    );
    const rest = await client.listRows(run.id, { status: "failed", limit: 2, after: page.next ?? "" });
    assert.deepEqual([rest.rows.map(({ row }) => row), rest.next], [[23], undefined]);
    assert.equal((await client.getRow(run.id, 3)).attempts.length, 1);
    const tried = await client.tryRowOfRun(run.id, { row: 3, cells: { n: "4" } });
    assert.deepEqual(tried.attempt.outcome, { status: "succeeded", output: { double: 8 } });
    assert.equal((await client.rerunRows(run.id, { rows: [[3, 3]] })).run.status, "running");
    await server.until(run.id, ({ status }) => status === "succeeded");

    const failed = await textOf(await client.downloadTable(run.id, { which: "failed", format: "jsonl" }));
    assert.deepEqual(
      failed
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { n: string }).n),
      ["3", "13", "23"],
    );
    const now = await textOf(await client.downloadTable(run.id));
    assert.equal(await textOf(await client.downloadTable(run.id, { which: "final" })), now);
    assert.equal(now.split("\n").length, 32);
  });

  it("tells who watches a run of the warnings of a download", async () => {
    const agent = JSON.parse(await workspace.read("registry/agents/doubler_v1.0.0.json")) as JsonObject;
    const structured_output = { enabled: true, output_fields: ["double", "triple"] };
    await workspace.write("registry/agents/doubler_v1.1.0.json", { ...agent, version: "1.1.0", structured_output });
    const execution_config = { retry_strategy: { max_attempts: 0 } };
    const { run } = await client.startRun({
      batch: { agent: "doubler", input: workspace.at("rows.csv"), execution_config },
    });
    await server.until(run.id, ({ status }) => status === "succeeded");
    const leaving = new AbortController();
    const messages: unknown[] = [];
    for await (const { type, data } of client.events({ run: run.id, signal: leaving.signal })) {
      if (type === "snapshot") await textOf(await client.downloadTable(run.id));
      if (type !== "message") continue;
      messages.push((data as { message: string }).message);
      leaving.abort();
    }
    assert.deepEqual(messages, ["Field triple not found in structured output"]);
  });

  it("throws the error that the server answers with", async () => {
    await assert.rejects(client.getRun("nothing"), { code: "RUN_NOT_FOUND", hint: "`rowcall runs` lists them." });
    await assert.rejects(client.getRow("nothing", 1), { code: "RUN_NOT_FOUND" });
    await assert.rejects(client.startRun({ batch: { agnet: "x" } }), { code: "BATCH_INVALID" });
    await assert.rejects(client.agents.get("nobody"), { code: "AGENT_NOT_FOUND" });
    const stranger = createRowcallClient({ url: listening.url, token: "wrong" });
    await assert.rejects(stranger.listRuns(), { code: "TOKEN_INVALID" });
  });

  it("deletes a run with its table in the data directory", async () => {
    const execution_config = { retry_strategy: { max_attempts: 0 } };
    const batch = { agent: "doubler", input: workspace.at("rows.csv"), execution_config };
    const { run } = await client.startRun({ batch });
    await server.until(run.id, ({ status }) => status === "succeeded");
    const { outputUri = "" } = (await client.getRun(run.id)).run;
    const deleted = await client.deleteRun(run.id);
    assert.deepEqual([deleted.rows, deleted.removed.includes(outputUri)], [30, true]);
    assert.deepEqual(deleted.left, [{ uri: workspace.at("rows.csv"), why: "the table that it read" }]);
    await assert.rejects(client.getRun(run.id), { code: "RUN_NOT_FOUND" });
    await assert.rejects(client.deleteRun(run.id), { code: "RUN_NOT_FOUND" });
  });

  it("steers a run and shows the numbers of it", async () => {
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    workspace.onRow = () => {
      entered.resolve();
      return gate.promise;
    };
    const { run } = await client.startRun({
      batch: { ...((await batchOf(workspace)) as object), output: "steered.csv" },
    });
    await entered.promise;
    await assert.rejects(client.resumeRun(run.id), { code: "RUN_BUSY" });
    const metrics = await (await server.request("/metrics")).text();
    assert.match(metrics, /^rowcall_runs\{status="running"\} 1$/m);
    assert.match(
      metrics,
      new RegExp(`^rowcall_run_rows\\{run="${run.id}",agent="doubler@1.0.0",status="pending"\\} \\d+$`, "m"),
    );
    assert.match(metrics, /^process_cpu_seconds_total /m);
    await client.stopRun(run.id);
    gate.resolve();
    await server.until(run.id, ({ status }) => status === "stopped");
    assert.equal((await client.resumeRun(run.id)).isHere, true);
    await server.until(run.id, ({ status }) => status === "succeeded");
  });
});
