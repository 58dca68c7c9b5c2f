import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { afterEach, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import type { RowReport } from "../../src/core/engine.ts";
import { callTool, untilEnded } from "../fakes/mcp-client.ts";
import { useWorkspace, type Workspace } from "../fakes/workspace.ts";

const cli = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
// Row 4 ends after all that was thrown late has been: the process is there to answer.
const agent = `
  import { once } from "node:events";
  let late = 0;
  export default async ({ n }, { signal }) => {
    const strays = [
      () => void setTimeout(() => { throw new Error("a timer"); }),
      () => void Promise.reject(new Error("a rejection")),
      () => void process.exit(9),
    ];
    strays[n]?.();
    if (n < 3) await once(signal, "abort");
    if (n === "3") {
      setImmediate(() => setImmediate(() => { late += 1; throw new Error("too late"); }));
      setImmediate(() => setImmediate(() => { late += 1; void Promise.reject(new Error("too late as well")); }));
    }
    while (n === "4" && late < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    return { structured_output: { double: n * 2 } };
  };`;
const keys = {
  AWS_ACCESS_KEY_ID: "test",
  AWS_SECRET_ACCESS_KEY: "test",
  ROWCALL_ENDPOINT_ACCESS_KEY_ID: "test",
  ROWCALL_ENDPOINT_SECRET_ACCESS_KEY: "test",
};
const rawStack = /^\s+at |Node\.js v\d/m;
const expected = ["AGENT_FAILED", "AGENT_FAILED", "AGENT_CRASHED", "succeeded", "succeeded"];

describe("errors that nothing in an agent catches", () => {
  let workspace: Workspace;
  const ends: (() => unknown)[] = [];
  useWorkspace(expected.length, (made) => (workspace = made));
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  });

  function rowcall(...args: readonly string[]): ChildProcess & { readonly said: () => string } {
    const child = spawn(process.execPath, [cli, ...args], {
      cwd: workspace.folder,
      env: { ...process.env, ...keys },
      stdio: ["ignore", "pipe", "pipe"],
    });
    ends.push(() => child.kill("SIGKILL"));
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    return Object.assign(child, { said: () => said });
  }
  async function outcomes(): Promise<readonly string[]> {
    const listing = rowcall("rows", "last", "--json");
    return (await text(listing.stdout!))
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as RowReport).attempts.at(-1)?.outcome)
      .map((outcome) => (outcome?.status === "failed" ? outcome.code : (outcome?.status ?? "none")));
  }
  const serve = async (...args: readonly string[]): Promise<{ url: string; token: string; server: Said }> => {
    const server = rowcall("serve", "--port", "0", "--json", ...args);
    const [line] = (await once(createInterface(server.stdout!), "line")) as [string];
    return { ...(JSON.parse(line) as { url: string; token: string }), server };
  };
  type Said = ReturnType<typeof rowcall>;
  it("fail their attempts or are warnings at a worker, which lives on", async () => {
    await workspace.write("agent.mjs", agent);
    const { url } = await serve("--aws-endpoint");
    const arn = "arn:aws:states:eu-west-1:123456789012:activity:doubler";
    const worker = rowcall("worker", "--activity-arn", arn, "--endpoint-url", url);
    const run = rowcall("run", "batch.json", "--dispatch", "activity", "--quiet");
    assert.deepEqual(await once(run, "exit"), [3, null]);
    assert.deepEqual(await outcomes(), expected);
    for (const late of [/row 3 .*too late(?! as)/, /row 3 .*too late as well/])
      while (!late.test(worker.said())) await wait(10);
    assert.doesNotMatch(worker.said(), rawStack);
    worker.kill("SIGTERM");
    assert.deepEqual(await once(worker, "exit"), [0, null]);
  });

  it("fail their attempts or none at a server, which lives on", async () => {
    await workspace.write("agent.mjs", agent);
    const { url, token, server } = await serve();
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const batch = { agent: "doubler", input: workspace.at("rows.csv"), output: workspace.at("served.csv") };
    const body = JSON.stringify({ batch: { ...batch, execution_config: { retry_strategy: { max_attempts: 0 } } } });
    const started = await fetch(`${url}/api/v1/runs`, { method: "POST", headers, body });
    const { id } = (await started.json()) as { id: string };
    for (let status = "running"; status === "running"; await wait(20)) {
      const asked = await fetch(`${url}/api/v1/runs/${id}`, { headers });
      ({ status } = (await asked.json()) as { status: string });
    }
    assert.deepEqual(await outcomes(), expected);
    assert.doesNotMatch(server.said(), rawStack);
    server.kill("SIGTERM");
    assert.deepEqual(await once(server, "exit"), [0, null]);
  });

  it("fail their attempts or are warnings at an assistant's server, which lives on", async () => {
    await workspace.write("agent.mjs", agent);
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [cli, "mcp", "--allow-batch", workspace.folder],
      cwd: workspace.folder,
      env: { PATH: process.env["PATH"] ?? "" },
      stderr: "pipe",
    });
    let said = "";
    transport.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const client = new Client({ name: "test", version: "1.0.0" });
    ends.push(() => client.close());
    await client.connect(transport);
    await callTool(client, "start_batch", { batch: "batch.json", name: "monday" });
    assert.equal((await untilEnded(client, "monday")).content["status"], "succeeded");
    assert.deepEqual(await outcomes(), expected);
    assert.doesNotMatch(said, rawStack);
    const { untrusted } = await callTool(client, "run_progress", { run: "monday" });
    assert.match(JSON.stringify(untrusted["warnings"]), /row 3 failed after its attempt was over: too late"/);
  });
});
