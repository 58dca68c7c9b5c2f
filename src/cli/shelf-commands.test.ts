import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTestIo } from "../../test/fakes/io.ts";
import { useWorkspace, type Workspace } from "../../test/fakes/workspace.ts";
import { runCli } from "./run-cli.ts";

let workspace: Workspace;
async function rowcall(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = createTestIo({ workingDirectory: workspace.folder });
  const code = await runCli(args, io);
  return { code, out: io.out(), err: io.err() };
}

const agent = {
  agent_name: "tripler",
  version: "1.0.0",
  kind: "function",
  config: { module: "./a.mjs" },
  structured_output: { enabled: true, output_fields: ["triple"] },
};
const template = {
  template_id: "form",
  version: "1.0.0",
  starting_page: "https://example.com/{{postcode}}",
  steps: [{ action: "goto", url: "https://example.com/" }],
};

describe("rowcall agents", () => {
  useWorkspace(1, (made) => (workspace = made));

  it("lists agents, also when nothing is said", async () => {
    const { code, out } = await rowcall("agents");
    assert.equal(code, 0);
    assert.match(out, /^doubler +1\.0\.0 +active +function$/m);
    assert.deepEqual((await rowcall("agents", "list")).out, out);
  });

  it("lists what can be read of a registry and warns of the rest", async () => {
    await workspace.write("registry/agents/broken_v1.0.0.json", "{");
    const { code, out, err } = await rowcall("agents", "list", "--json");
    assert.equal(code, 0);
    assert.ok((JSON.parse(out) as { agent_name: string }[]).some(({ agent_name: name }) => name === "doubler"));
    assert.match(err, /^warning: .*broken_v1\.0\.0\.json/);
  });

  it("shows the newest version or the one that is named", async () => {
    await workspace.write("registry/agents/doubler_v1.1.0.json", { ...agent, agent_name: "doubler", version: "1.1.0" });
    const versionOf = async (name: string): Promise<string> =>
      (JSON.parse((await rowcall("agents", "show", name)).out) as { version: string }).version;
    assert.deepEqual([await versionOf("doubler"), await versionOf("doubler@1.0.0")], ["1.1.0", "1.0.0"]);
    assert.match((await rowcall("agents", "show", "dubler")).err, /Did you mean "doubler"\?/);
  });

  it("publishes a version once and never over itself", async () => {
    await workspace.write("mine.json", agent);
    const first = await rowcall("agents", "publish", "mine.json");
    assert.deepEqual([first.code, first.out], [0, `Published tripler@1.0.0 in ${workspace.at("registry")}\n`]);
    const again = await rowcall("agents", "publish", "mine.json");
    assert.equal(again.code, 2);
    assert.match(again.err, /published already\nhint: A version is never overwritten/);
    assert.match((await rowcall("agents")).out, /^tripler +1\.0\.0/m);
  });

  it("publishes in the folder that is named", async () => {
    await workspace.write("mine.json", agent);
    const { out } = await rowcall("agents", "publish", "mine.json", "--registry", "other", "--json");
    assert.deepEqual(JSON.parse(out), { name: "tripler", version: "1.0.0", registry: workspace.at("other") });
    assert.match(await workspace.read("other/agents/tripler_v1.0.0.json"), /"tripler"/);
  });

  it("finds mistakes in keys, kind, settings and schemas before anything is published", async () => {
    const mistakes = [
      [{ ...agent, kinf: "x" }, /unknown key "kinf"\nhint: Did you mean "kind"\?/],
      [{ ...agent, kind: "functoin" }, /unknown kind "functoin"\nhint: Did you mean "function"\?/],
      [{ ...agent, kind: "lambda", config: { function: "look up" } }, /function: must be a function's name or ARN/],
      [
        { ...agent, kind: "stepfunctions", config: { state_machine_arn: "x" } },
        /state_machine_arn: must be a state machine's ARN/,
      ],
      [{ ...agent, input_schema: { type: "strnig" } }, /input_schema of agent tripler is not a JSON Schema/],
    ] as const;
    for (const [value, message] of mistakes) {
      await workspace.write("mine.json", value);
      for (const command of ["validate", "publish"]) {
        const { code, err } = await rowcall("agents", command, "mine.json");
        assert.equal(code, 2);
        assert.match(err, message);
      }
    }
    await workspace.write("mine.json", agent);
    assert.equal((await rowcall("agents", "validate", "mine.json")).out, "mine.json: tripler@1.0.0 is valid\n");
  });

  it("suggests what a mistyped command may have meant", async () => {
    assert.equal(
      (await rowcall("agents", "pubish", "x")).err,
      'error: There is no command "agents pubish"\nhint: Did you mean "publish"?\n',
    );
  });
});

describe("rowcall templates", () => {
  useWorkspace(1, (made) => (workspace = made));

  it("validates, publishes, lists and shows templates", async () => {
    await workspace.write("form.json", template);
    assert.equal((await rowcall("templates", "validate", "form.json")).out, "form.json: form@1.0.0 is valid\n");
    assert.equal((await rowcall("templates", "publish", "form.json")).code, 0);
    assert.match((await rowcall("templates")).out, /^form +1\.0\.0 +active$/m);
    assert.equal(
      (JSON.parse((await rowcall("templates", "show", "form", "--json")).out) as { template_id: string }).template_id,
      "form",
    );
  });

  it("finds mistakes in steps, which the registry itself does not read", async () => {
    await workspace.write("form.json", { ...template, steps: [{ action: "gotoo", url: "x" }] });
    const { code, err } = await rowcall("templates", "publish", "form.json");
    assert.equal(code, 2);
    assert.match(err, /gotoo/);
    assert.match((await rowcall("templates", "validate", "none.json")).err, /There is no template file none\.json/);
  });
});
