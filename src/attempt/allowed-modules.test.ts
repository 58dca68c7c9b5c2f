import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { AgentDefinition } from "../core/agent.ts";
import { batchOf, openTestServer, type TestServer } from "../../test/fakes/server.ts";
import { openTestEndpoint } from "../../test/fakes/endpoint.ts";
import { useWorkspace, type Workspace } from "../../test/fakes/workspace.ts";
import { wire } from "../app/wire.ts";
import { requireAllowedModule } from "./allowed-modules.ts";
import { loadBatch } from "../runs/load-batch.ts";

const chosen = [{ module: "./mine.mjs" }, { export: "wipe" }, { isolation: "none" }, { memory_mb: 999_999 }] as const;

describe("code of this machine, chosen by others than who runs Rowcall", () => {
  let workspace: Workspace;
  useWorkspace(2, (made) => (workspace = made));
  beforeEach(() =>
    workspace.write(
      "mine.mjs",
      `import { writeFileSync } from "node:fs"; writeFileSync(new URL("ran", import.meta.url), ""); export default () => ({});`,
    ),
  );
  afterEach(() => assert.rejects(workspace.read("ran"), { code: "ENOENT" }, "the module has run"));

  describe("over the API and the pages", () => {
    let server: TestServer;
    beforeEach(async () => {
      server = await openTestServer(workspace);
    });
    afterEach(() => server.end());
    const refused = async (path: string, body: object): Promise<string> => {
      const response = await server.request(`/api/v1${path}`, { method: "POST", body: JSON.stringify(body) });
      const text = await response.text();
      assert.ok(!response.ok, text);
      assert.match(text, /--allow-module/);
      return text;
    };

    it("is refused in a batch that is started or tried, and told by a plan", async () => {
      for (const config of chosen) {
        const batch = { ...(await batchOf(workspace)), agent_config: config };
        const [key = ""] = Object.keys(config);
        assert.match(await refused("/runs", { batch }), new RegExp(`agent_config.${key}`));
        await refused("/tries", { batch, row: 0 });
        const plan = await server.ask<{ runnable: boolean }>("POST", "/plans", { batch });
        assert.equal(plan.runnable, false);
      }
    });

    it("is refused in an agent that is published, unless the registry has it already", async () => {
      const agent = JSON.parse(await workspace.read("registry/agents/doubler_v1.0.0.json")) as AgentDefinition;
      for (const config of [{ module: workspace.at("mine.mjs") }, { ...agent.config, export: "wipe" }])
        await refused("/agents", { ...agent, version: "2.0.0", config });
      await server.ask("POST", "/agents", { ...agent, version: "2.0.0", description: "the same code" });
      const headers = { "content-type": "application/x-www-form-urlencoded", accept: "text/html" };
      const document = JSON.stringify({ ...agent, version: "3.0.0", config: { module: workspace.at("mine.mjs") } });
      const page = await server.request("/agents/publish", {
        method: "POST",
        headers,
        body: new URLSearchParams({ document }).toString(),
      });
      assert.ok(!page.ok);
      assert.match(await page.text(), /module that is not allowed here/);
    });
  });

  it("is refused at the endpoint, in the input and in a batch file that the input names", async () => {
    const endpoint = await openTestEndpoint(workspace);
    try {
      await workspace.write("named.json", { agent: "doubler", agent_config: { module: "./mine.mjs" } });
      const places = { input_csv_s3_uri: "rows.csv", output_s3_prefix: "out/" };
      const inline = { agent_config: { module: workspace.at("mine.mjs") } };
      for (const [name, input] of [
        ["inline", { target: "doubler", ...places, ...inline }],
        ["whole", { ...(await batchOf(workspace)), ...inline }],
        ["file", { config_s3_uri: "named.json", ...places }],
      ] as const) {
        const stateMachineArn = `${endpoint.prefix}stateMachine:batch-processor-prod`;
        await endpoint.post("StartExecution", { stateMachineArn, name, input: JSON.stringify(input) });
        const executionArn = `${endpoint.prefix}execution:batch-processor-prod:${name}`;
        for (;;) {
          const answer = await endpoint.post("DescribeExecution", { executionArn });
          const { status, error, cause } = (await answer.json()) as Record<string, string>;
          if (status === "RUNNING") continue;
          assert.deepEqual([status, error], ["FAILED", "BATCH_INVALID"], name);
          assert.match(cause ?? "", /--allow-module/);
          break;
        }
      }
    } finally {
      await endpoint.close();
    }
  });

  it("is run when it is the registry's, or allowed by its path, however that is written", async () => {
    const servicesOf = (allowedModules?: readonly string[]) =>
      wire({ env: {}, workingDirectory: workspace.folder, ...(allowedModules === undefined ? {} : { allowedModules }) })
        .services;
    const agent = JSON.parse(await workspace.read("registry/agents/doubler_v1.0.0.json")) as AgentDefinition;
    await requireAllowedModule(servicesOf([]), { ...agent, config: { module: workspace.at("agent.mjs") } });
    await requireAllowedModule(servicesOf(["mine.mjs"]), { ...agent, config: { module: "./mine.mjs", export: "any" } });
    await requireAllowedModule(servicesOf([]), { ...agent, kind: "http", config: { url: "https://a.example" } });
    for (const config of [{ module: "./mine.mjs" }, {}, { module: "file://elsewhere/mine.mjs" }, { module: ["x"] }]) {
      await assert.rejects(requireAllowedModule(servicesOf([]), { ...agent, config }), {
        code: "AGENT_INVALID",
        hint: /--allow-module/,
      });
    }
    const batch = JSON.stringify({ ...(await batchOf(workspace)), agent_config: { module: "./mine.mjs" } });
    await loadBatch(servicesOf(["mine.mjs"]), batch);
    await loadBatch(servicesOf(), batch);
    await assert.rejects(loadBatch(servicesOf([]), batch), { code: "BATCH_INVALID" });
  });
});
