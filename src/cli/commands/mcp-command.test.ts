import assert from "node:assert/strict";
import { request } from "node:http";
import { afterEach, describe, it } from "node:test";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { createTestIo, type TestIo } from "../../../test/fakes/io.ts";
import { callTool, untilEnded } from "../../../test/fakes/mcp-client.ts";
import { useWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";
import { runCli } from "../run-cli.ts";

const launcher = fileURLToPath(new URL("../../../bin/rowcall.js", import.meta.url));

describe("rowcall mcp", () => {
  let workspace: Workspace;
  const ends: (() => Promise<unknown>)[] = [];
  useWorkspace(12, (made) => (workspace = made));
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  });

  /** A client whose server is a process of its own. */
  const connect = async (env: Readonly<Record<string, string>> = {}): Promise<{ client: Client; err(): string }> => {
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [launcher, "mcp", "--allow-batch", "."],
      cwd: workspace.folder,
      env: { PATH: process.env["PATH"] ?? "", ...env },
      stderr: "pipe",
    });
    let err = "";
    transport.stderr?.on("data", (chunk: Buffer) => (err += chunk.toString()));
    const client = new Client({ name: "test", version: "1.0.0" });
    ends.push(() => client.close());
    await client.connect(transport);
    return { client, err: () => err };
  };
  const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await isSo())) await wait(10);
  };
  const start = { batch: "batch.json", name: "monday" };

  it("serves one client over standard input and output, and an agent that prints disturbs nobody", async () => {
    await workspace.write(
      "agent.mjs",
      'export default ({ n }) => { console.log("loud", n); return { structured_output: { double: n * 2 } }; };',
    );
    const { client, err } = await connect();
    assert.equal(client.getServerVersion()?.name, "rowcall");
    assert.match(client.getInstructions() ?? "", /untrusted/);
    await callTool(client, "start_batch", start);
    assert.equal((await untilEnded(client, "monday")).content["status"], "succeeded");
    await until(() => err().includes("loud 11"));
  });

  it("drains its runs when the client goes away; another process sees that and goes on", async () => {
    await workspace.write("rows.csv", `n\n${Array.from({ length: 200 }, (_, n) => `${n}\n`).join("")}`);
    const first = await connect({ AGENT_MS: "300" });
    const { content } = await callTool(first.client, "start_batch", start);
    const second = await connect();
    const seen = await callTool(second.client, "run_progress", { run: "monday", wait_seconds: 0 });
    assert.deepEqual([seen.content["run"], seen.content["status"]], [content["run"], "running"]);
    const busy = await callTool(second.client, "resume_run", { run: "monday" });
    assert.equal((busy.content["error"] as { code: string }).code, "RUN_BUSY");

    await first.client.close();
    assert.match(first.err(), /^Run \S+ is interrupted: \d+ of 200 rows are final\. rowcall resume /m);
    const left = await untilEnded(second.client, "monday");
    assert.equal(left.content["status"], "interrupted");
    assert.match(left.text, /resume_run continues with the rest/);
    await callTool(second.client, "resume_run", { run: "monday" });
    const ended = await untilEnded(second.client, "monday");
    assert.deepEqual(ended.content["rows"], { total: 200, succeeded: 180, failed: 20, in_flight: 0, pending: 0 });
  });

  const startHttp = async (
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ io: TestIo; url: URL; token: string }> => {
    const io = createTestIo({ workingDirectory: workspace.folder, env });
    const ended = runCli(["mcp", "--http", "--port", "0", "--allow-batch", "."], io);
    ends.push(async () => {
      io.interrupt();
      assert.equal(await ended, 0);
    });
    await until(() => io.err().includes("Authorization"));
    const [, url = "", token = ""] = /over HTTP: (\S+)\nAuthorization: Bearer (\S+)\n/.exec(io.err()) ?? [];
    return { io, url: new URL(url), token };
  };
  const connectHttp = async (url: URL, token: string): Promise<Client> => {
    const client = new Client({ name: "test", version: "1.0.0" });
    await client.connect(
      new StreamableHTTPClientTransport(url, {
        requestInit: { headers: { Authorization: `Bearer ${token}` } },
      }),
    );
    ends.push(() => client.close());
    return client;
  };

  it("serves several clients over HTTP, with signs of life, and a run outlives the client that started it", async () => {
    const { io, url, token } = await startHttp();
    assert.equal(io.out(), "");
    assert.ok(token.length >= 40);
    const first = await connectHttp(url, token);
    const release = Promise.withResolvers<void>();
    workspace.onRow = () => release.promise;
    await callTool(first, "start_batch", start);
    await new Promise<void>((resolve) => {
      const args = { run: "monday", wait_seconds: 45 };
      void first
        .callTool({ name: "run_progress", arguments: args }, undefined, { onprogress: () => resolve() })
        .catch(() => {});
    });
    await first.close();
    const second = await connectHttp(url, token);
    release.resolve();
    assert.equal((await untilEnded(second, "monday")).content["status"], "succeeded");
    assert.equal((await callTool(second, "run_results", { run: "monday" })).content["output"], workspace.at("out.csv"));
  });

  it("drains over HTTP when it is interrupted", async () => {
    const { io, url, token } = await startHttp();
    const client = await connectHttp(url, token);
    const begun = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    workspace.onRow = () => {
      begun.resolve();
      return release.promise;
    };
    await callTool(client, "start_batch", start);
    await begun.promise;
    io.interrupt();
    release.resolve();
    await until(() => /^Run \S+ is interrupted/m.test(io.err()));
    assert.match(io.err(), /rows in flight finish and no new row starts/);
  });

  it("refuses who has no token, other hosts' names and other hosts' pages", async () => {
    const { io, url } = await startHttp({ ROWCALL_MCP_TOKEN: "a-token-of-mine" });
    assert.doesNotMatch(io.err(), /a-token-of-mine/);
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
    const send = (headers: Readonly<Record<string, string>>, method = "POST"): Promise<number> =>
      new Promise((resolve, reject) => {
        const sent = request(
          url,
          {
            method,
            headers: { "Content-Type": "application/json", Accept: "application/json, text/event-stream", ...headers },
          },
          (response) => {
            response.resume();
            response.on("end", () => resolve(response.statusCode ?? 0));
          },
        );
        sent.on("error", reject);
        sent.end(method === "POST" ? body : undefined);
      });
    const Authorization = "Bearer a-token-of-mine";
    assert.equal(await send({}), 401);
    assert.equal(await send({ Authorization: "Bearer wrong" }), 401);
    assert.equal(await send({ Authorization, Host: "evil.example" }), 403);
    assert.equal(await send({ Authorization, Origin: "https://evil.example" }), 403);
    assert.equal(await send({ Authorization, Origin: "null" }), 403);
    assert.equal(await send({ Authorization }, "GET"), 405);
    assert.equal(await send({ Authorization, Origin: url.origin }), 200);
  });

  it("says what is wrong with its options and its port", async () => {
    const io = createTestIo({ workingDirectory: workspace.folder });
    assert.equal(await runCli(["mcp", "--port", "80"], io), 2);
    assert.match(io.err(), /add --http/);
    const { url } = await startHttp();
    const taken = createTestIo({ workingDirectory: workspace.folder });
    assert.equal(await runCli(["mcp", "--http", "--port", url.port], taken), 2);
    assert.match(taken.err(), /Port \d+ of 127\.0\.0\.1 is taken/);
  });
});
