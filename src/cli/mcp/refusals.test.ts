import assert from "node:assert/strict";
import { symlink } from "node:fs/promises";
import { afterEach, beforeEach, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { callTool, openTestMcp, untilEnded, type TestMcp } from "../../../test/fakes/mcp-client.ts";
import { createWorkspace, useWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";

interface ToolError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

describe("what an assistant is refused", () => {
  let workspace: Workspace;
  let elsewhere: Workspace;
  let mcp: TestMcp;
  let client: Client;
  useWorkspace(6, (made) => (workspace = made));
  beforeEach(async () => {
    elsewhere = await createWorkspace(2);
    mcp = await openTestMcp(workspace);
    client = await mcp.connect();
  });
  afterEach(async () => {
    await mcp.close();
    await elsewhere.remove();
  });

  const errorOf = async (name: string, args: object): Promise<ToolError> => {
    const { isError, content, text } = await callTool(client, name, args);
    assert.equal(isError, true, text);
    return content["error"] as ToolError;
  };
  const run = { batch: "batch.json", name: "monday" };
  const inline = { agent: "doubler", input: "rows.csv", output: "other.csv" };

  it("places outside of the working directory, however they are written", async () => {
    await symlink(elsewhere.folder, workspace.at("link"));
    const attempts = [
      { ...run, batch: elsewhere.at("batch.json") },
      { ...run, input: elsewhere.at("rows.csv") },
      { ...run, input: pathToFileURL(elsewhere.at("rows.csv")).href },
      { ...run, input: "link/rows.csv" },
      { ...run, input: "../../../../../etc/passwd" },
      { ...run, output: elsewhere.at("out/") },
      { ...run, output: "link/new/out.csv" },
      { ...run, input: "https://example.com/rows.csv" },
      { ...run, output: "s3://bucket/out/" },
      { ...run, batch: { ...inline, recording: { prefix: elsewhere.folder } } },
      {
        ...run,
        batch: { config_s3_uri: elsewhere.at("batch.json"), input_csv_s3_uri: "rows.csv", output_s3_prefix: "out/" },
      },
    ];
    for (const args of attempts) {
      for (const tool of ["plan_batch", "start_batch", "try_row"]) {
        const { name: _name, ...batch } = args;
        const { code, hint } = await errorOf(tool, tool === "start_batch" ? args : batch);
        assert.equal(code, "STORE_DENIED", JSON.stringify(args));
        assert.match(hint ?? "", /only the user can allow more/);
      }
    }
    assert.deepEqual((await callTool(client, "list_runs")).content["total"], 0);
  });

  it("no place that --allow names", async () => {
    await mcp.close();
    mcp = await openTestMcp(workspace, [elsewhere.folder, "s3://bucket/tables/"]);
    client = await mcp.connect();
    await callTool(client, "start_batch", { ...run, input: elsewhere.at("rows.csv"), output: elsewhere.at("new.csv") });
    assert.equal((await untilEnded(client, "monday")).content["status"], "succeeded");
    assert.match(await elsewhere.read("new.csv"), /^n,text,double/);
    const { code } = await errorOf("plan_batch", { batch: "batch.json", output: "s3://bucket/other/" });
    assert.equal(code, "STORE_DENIED");
  });

  it("standard output, and files that exist", async () => {
    assert.equal((await errorOf("start_batch", { ...run, output: "-" })).code, "USAGE_INVALID");
    await workspace.write("out.csv", "mine\n");
    const { code, message } = await errorOf("start_batch", run);
    assert.equal(code, "PLAN_FAILED");
    assert.match(message, /output/);
    assert.equal(await workspace.read("out.csv"), "mine\n");
  });

  it("to write what only people decide: code, hosts, who is told", async () => {
    for (const key of ["agent_config", "notification_config", "agent_state_machine_arn"]) {
      const { code, message } = await errorOf("plan_batch", { batch: { ...inline, [key]: {} } });
      assert.equal(code, "USAGE_INVALID");
      assert.match(message, new RegExp(key));
    }
    const text = await errorOf("plan_batch", { batch: JSON.stringify({ ...inline, agent_config: {} }) });
    assert.equal(text.code, "USAGE_INVALID");
    await workspace.write("batch.json", { ...inline, agent_config: { module: elsewhere.at("agent.mjs") } });
    assert.equal((await errorOf("plan_batch", { batch: "batch.json" })).code, "STORE_DENIED");
  });

  it("to spend what nobody agreed to", async () => {
    const agent = JSON.parse(await workspace.read("registry/agents/doubler_v1.0.0.json")) as object;
    await workspace.write("registry/agents/doubler_v1.1.0.json", {
      ...agent,
      version: "1.1.0",
      estimate: { seconds_per_row: 1, cost_per_row_usd: 0.5 },
    });
    const refused = await errorOf("start_batch", run);
    assert.deepEqual(
      [refused.code, refused.message, refused.hint],
      [
        "USAGE_INVALID",
        "This is expected to cost $3, and nobody has agreed to that",
        "Ask the user; if they agree, call again with confirm_cost_usd: 3.",
      ],
    );
    assert.match((await errorOf("start_batch", { ...run, confirm_cost_usd: 2 })).message, /only \$2 was agreed to/);
    const started = await callTool(client, "start_batch", { ...run, confirm_cost_usd: 3 });
    assert.equal(started.isError, false);
    await untilEnded(client, "monday");
    assert.match((await errorOf("rerun_failed", { run: "monday" })).message, /cost \$0\.5/);
    assert.equal((await errorOf("rerun_failed", { run: "monday", codes: ["AGENT_FAILED"] })).code, "USAGE_INVALID");
    const nothing = await callTool(client, "rerun_failed", { run: "monday", codes: ["TIMEOUT"] });
    assert.deepEqual([nothing.isError, nothing.content["status"]], [false, "succeeded"]);
  });

  it("calls that are wrong, with what to do instead", async () => {
    assert.deepEqual(await errorOf("run_progress", { runn: "last" }), {
      code: "USAGE_INVALID",
      message: 'The call of run_progress is not valid: run: missing, expected string; runn: unknown key "runn"',
      hint: 'Did you mean "run"?',
      problems: [
        { path: "run", message: "missing, expected string" },
        { path: "runn", message: 'unknown key "runn"', hint: 'Did you mean "run"?' },
      ],
    });
    assert.deepEqual(await errorOf("run_results", { run: "tuesday" }), {
      code: "RUN_NOT_FOUND",
      message: 'There is no run "tuesday": no run is remembered here',
      hint: "list_runs shows the runs there are.",
    });
    assert.equal((await errorOf("plan_batch", { batch: "nowhere.json" })).code, "BATCH_NOT_FOUND");
    assert.equal((await errorOf("show_agent", { agent: "dubler" })).code, "AGENT_NOT_FOUND");
    assert.equal((await errorOf("plan_batch", { batch: "batch.json", rows: "three" })).code, "USAGE_INVALID");
    assert.equal((await errorOf("try_row", { batch: "batch.json", row: 99 })).code, "USAGE_INVALID");
    const nowhere = await callTool(client, "start_batch", { batch: { agent: "doubler" }, name: "x" });
    assert.equal((nowhere.content["error"] as ToolError).code, "BATCH_INVALID");
    assert.deepEqual(nowhere.untrusted["problems"], [
      { path: "input", message: "missing", hint: 'Give input, or set "input" in the batch file.' },
      { path: "output", message: "missing", hint: 'Give output, or set "output" in the batch file.' },
    ]);
    await assert.rejects(client.callTool({ name: "delete_everything", arguments: {} }), /no tool delete_everything/);
  });

  it("to go on with a run that is going, or to rerun with a code there is not", async () => {
    const release = Promise.withResolvers<void>();
    workspace.onRow = () => release.promise;
    await callTool(client, "start_batch", run);
    assert.deepEqual(await errorOf("resume_run", { run: "monday" }), {
      code: "RUN_BUSY",
      message: (await errorOf("rerun_failed", { run: "monday" })).message,
      hint: "The run is going: follow it with run_progress, or end it with stop_run.",
    });
    assert.match((await errorOf("rerun_failed", { run: "monday", codes: ["TIMEOOT"] })).hint ?? "", /TIMEOUT/);
    release.resolve();
    await untilEnded(client, "monday");
  });
});
