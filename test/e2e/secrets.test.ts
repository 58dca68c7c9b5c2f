import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { startService } from "../fakes/echo-service.ts";
import { useWorkspace, type Workspace } from "../fakes/workspace.ts";
import type { Batch } from "../../src/core/batch.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { loadBatch } from "../../src/runs/load-batch.ts";
import { tryRow } from "../../src/app/try-row.ts";
import { openEngine, wire, type Wiring } from "../../src/app/wire.ts";

const secret = 'tok"en/+ with spaces';
const forms = [
  secret,
  JSON.stringify(secret).slice(1, -1),
  encodeURIComponent(secret),
  Buffer.from(secret).toString("base64").slice(0, 20),
  Buffer.from(`me:${secret}`).toString("base64").slice(8, 24),
];

describe("secrets of an agent", () => {
  let workspace: Workspace;
  useWorkspace(4, (made) => (workspace = made));

  async function prepare(agent: JsonObject): Promise<{ readonly wiring: Wiring; readonly batch: Batch }> {
    await workspace.write("registry/agents/leaky_v1.0.0.json", {
      agent_name: "leaky",
      version: "1.0.0",
      structured_output: { enabled: true, output_fields: ["told", "code"] },
      ...agent,
    });
    await workspace.write("leaky.json", {
      agent: "leaky",
      input: "rows.csv",
      output: "out.csv",
      execution_config: { retry_strategy: { max_attempts: 0 } },
    });
    const wiring = wire({
      env: { TOKEN: secret, ROWCALL_DATA_DIR: "kept" },
      workingDirectory: workspace.folder,
    });
    return { wiring, batch: await loadBatch(wiring.services, workspace.at("leaky.json")) };
  }

  /** Everything that there is of a run, as one text; the agent's own module is not part of it. */
  async function left(told: readonly unknown[]): Promise<string> {
    const files = await readdir(workspace.folder, { recursive: true, withFileTypes: true });
    const texts = files
      .filter((file) => file.isFile() && file.name !== "leaky.mjs")
      .map(({ parentPath, name }) => readFile(join(parentPath, name), "latin1"));
    return [...(await Promise.all(texts)), JSON.stringify(told)].join("\n");
  }

  function assertNone(text: string): void {
    for (const form of forms) {
      const at = text.indexOf(form);
      assert.equal(at, -1, `${form}: …${text.slice(Math.max(0, at - 80), at + 80)}…`);
      const inJson = text.indexOf(JSON.stringify(form).slice(1, -1));
      assert.equal(inJson, -1, `${form} in JSON`);
    }
  }

  async function run(
    agent: JsonObject,
  ): Promise<{ readonly everything: string; readonly csv: string; readonly steps: string }> {
    const { wiring, batch } = await prepare(agent);
    const engine = await openEngine(wiring);
    const told: unknown[] = [];
    try {
      const ended = await engine.start({ batch }, { onEvent: (event) => void told.push(event) });
      const rows = [];
      for await (const report of engine.rows(ended.id)) rows.push(report);
      told.push(ended, rows);
      return { everything: await left(told), csv: await workspace.read("out.csv"), steps: JSON.stringify(rows) };
    } finally {
      await engine.close();
    }
  }

  it("are in nothing that a function leaves behind: answers, errors, steps, files", async () => {
    await workspace.write(
      "leaky.mjs",
      `export default async ({ n }, { artifacts }) => {
        const secret = ${JSON.stringify(secret)};
        artifacts.step({ name: "log in with " + secret, status: "done", durationMs: 1, detail: { secret } });
        await artifacts.save("page.html", Buffer.from("<p>" + secret + "</p>"), "text/html");
        if (n === "1") throw new Error("wrong: " + secret + "x".repeat(5000) + secret);
        if (n === "2") return { structured_output: { told: "Basic " + Buffer.from("me:" + secret).toString("base64"), code: [{ [secret]: 1 }] } };
        if (n === "3") return { answer: secret };
        return { structured_output: { told: "you said " + secret, code: 7 } };
      };`,
    );
    const { everything, csv, steps } = await run({
      kind: "function",
      config: { module: workspace.at("leaky.mjs"), secrets: ["TOKEN"] },
    });
    assertNone(everything);
    assert.match(csv, /you said \*\*\*/);
    assert.match(steps, /log in with \*\*\*/);
    assert.match(steps, /The answer held a secret of the agent/);
  });

  it("are in nothing that a service repeats, also when it answers", async () => {
    const service = await startService(({ headers, path }, response) => {
      const told = `${headers.authorization} ${path}`;
      response.statusCode = path.includes("n=1") ? 400 : 200;
      response.end(
        JSON.stringify({ structured_output: { told, code: path.includes("n=2") ? { [secret]: secret } : 1 } }),
      );
    });
    try {
      const { everything, csv } = await run({
        kind: "http",
        config: {
          url: `${service.origin}/?n={{n}}&key={{secret.TOKEN}}`,
          headers: { authorization: "Bearer {{secret.TOKEN}}" },
          secrets: ["TOKEN"],
        },
      });
      assert.equal(service.requests[0]?.headers.authorization, `Bearer ${secret}`);
      assertNone(everything);
      assert.match(csv, /Bearer \*\*\*/);
    } finally {
      await service.close();
    }
  });

  it("are in nothing that a try shows: preview, reply, answer", async () => {
    const service = await startService(({ headers }, response) =>
      response.end(JSON.stringify({ structured_output: { told: headers["x-key"], code: 1 }, also: headers["x-key"] })),
    );
    try {
      const { wiring, batch } = await prepare({
        kind: "http",
        config: { url: service.origin, headers: { "x-key": "{{secret.TOKEN}}" }, secrets: ["TOKEN"] },
      });
      const tried = await tryRow(wiring.services, batch, { row: 0, recordingsPrefix: workspace.at("tried") });
      assert.match(JSON.stringify(tried.preview), /"x-key":"\*\*\*"/);
      assert.deepEqual(tried.reply, { structured_output: { told: "***", code: 1 }, also: "***" });
      assertNone(await left([tried]));
    } finally {
      await service.close();
    }
  });
});
