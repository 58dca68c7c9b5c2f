import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject } from "../core/json.ts";
import type { Plan } from "./plan.ts";
import { createTestIo } from "../../test/fakes/io.ts";
import { useWorkspace, type Workspace } from "../../test/fakes/workspace.ts";
import { runCli } from "../cli/run-cli.ts";

let workspace: Workspace;
async function rowcall(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = createTestIo({ workingDirectory: workspace.folder });
  const code = await runCli(args, io);
  return { code, out: io.out(), err: io.err() };
}

const agent = (kind: string, config: JsonObject, more: JsonObject = {}): JsonObject => ({
  agent_name: "looker",
  version: "1.0.0",
  kind,
  config,
  structured_output: { enabled: true, output_fields: ["double"] },
  ...more,
});
const url = "https://example.com/{{n}}";
const machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:lookup";

/** Agents with something wrong in them, and how that is told by whoever looks. */
const bad: readonly (readonly [JsonObject, RegExp])[] = [
  [agent("browser", { template: "form@1.0.0", secret: ["PASSWORD"] }), /secret: unknown key "secret"/],
  [agent("browser", {}), /template/],
  [agent("browser", { template: "form", viewport: { width: 1, height: 200 } }), /viewport\.width/],
  [agent("browser", { template: "form", executable: "firefox" }), /executable/],
  [
    agent("browser", { template: "form", allowed_hosts: ["https://a b"] }),
    /Allowed host "https:\/\/a b" is not a host/,
  ],
  [agent("function", {}), /module/],
  [agent("function", { module: "./double.ts", exprot: "x" }), /unknown key "exprot"/],
  [agent("http", {}), /url/],
  [agent("http", { url, method: "FETCH", retries: 3 }), /method.*retries|retries.*method/s],
  [agent("http", { url: "ftp://example.com" }), /is not an http: or https: URL/],
  [agent("http", { url: `${url}?key={{env.KEY}}` }), /uses \{\{env\.KEY\}\}, which is not in secrets/],
  [agent("lambda", { function: "look up" }), /must be a function's name or ARN/],
  [agent("lambda", { function: "lookup", timeout: 3 }), /unknown key "timeout"/],
  [agent("stepfunctions", { state_machine_arn: "x" }), /must be a state machine's ARN/],
  [agent("stepfunctions", { state_machine_arn: machine, region: "x" }), /unknown key "region"/],
  [agent("abacus", {}), /Unknown agent kind "abacus"/],
  [
    agent("http", { url }, { input_schema: { type: "strnig" } }),
    /The input_schema of agent looker is not a JSON Schema/,
  ],
  [
    agent(
      "http",
      { url },
      { structured_output: { enabled: true, output_fields: ["double"], schema: { type: "strnig" } } },
    ),
    /The structured_output\.schema of agent looker is not a JSON Schema/,
  ],
];

const good: readonly JsonObject[] = [
  agent("function", { module: "./agent.mjs" }),
  agent("http", { url, headers: { accept: "text/plain" } }),
];

describe("one validator for agents", () => {
  useWorkspace(1, (made) => (workspace = made));

  /** What `plan` says of an agent that lies in the registry without having been validated. */
  async function planned(value: JsonObject): Promise<string> {
    await workspace.write("registry/agents/looker_v1.0.0.json", value);
    const batch = JSON.parse(await workspace.read("batch.json")) as JsonObject;
    await workspace.write("looker.json", { ...batch, agent: "looker" });
    const plan = JSON.parse((await rowcall("plan", "looker.json", "--json")).out) as Plan;
    const failed = plan.checks.filter(({ status }) => status === "failed");
    return failed
      .flatMap(({ detail, problems }) => [
        detail,
        ...(problems ?? []).map(({ path, message }) => `${path}: ${message}`),
      ])
      .join("\n");
  }

  it("says of a wrong agent the same in validate, publish and plan", async () => {
    for (const [value, wanted] of bad) {
      await workspace.write("agent.json", value);
      const { code, err } = await rowcall("agents", "validate", "agent.json");
      assert.equal(code, 2, `validate passes ${JSON.stringify(value)}`);
      assert.match(err, wanted);
      const published = await rowcall("agents", "publish", "agent.json", "--registry", "other");
      assert.equal(published.code, 2);
      assert.equal(published.err, err);
      assert.match(await planned(value), wanted, `plan of ${JSON.stringify(value)}`);
    }
  });

  it("finds nothing wrong with a right agent anywhere", async () => {
    for (const value of good) {
      await workspace.write("agent.json", value);
      const { code, err } = await rowcall("agents", "validate", "agent.json");
      assert.deepEqual([code, err], [0, ""]);
      assert.equal(await planned(value), "");
    }
  });
});
