import assert from "node:assert/strict";
import { delimiter } from "node:path";
import { after, describe, it } from "node:test";
import { createTestIo } from "../../../test/fakes/io.ts";
import { useTestDynamodb, type TestDynamodb } from "../../../test/fakes/registry-tables.ts";
import { useWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";
import { runCli } from "../run-cli.ts";

let workspace: Workspace;
let env: Readonly<Record<string, string>> = {};
async function rowcall(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = createTestIo({ workingDirectory: workspace.folder, env });
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
      [{ ...agent, kind: "functoin" }, /Unknown agent kind "functoin"\. .*\nhint: Did you mean "function"\?/],
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

describe("rowcall agents deprecate, archive and activate", () => {
  useWorkspace(1, (made) => (workspace = made));

  it("change the status of one version", async () => {
    const done = await rowcall("agents", "deprecate", "doubler@1.0.0");
    assert.deepEqual([done.code, done.out], [0, `doubler@1.0.0 in ${workspace.at("registry")} is deprecated\n`]);
    assert.match((await rowcall("agents")).out, /^doubler +1\.0\.0 +deprecated/m);
    assert.match((await rowcall("agents", "show", "doubler")).err, /has no active version/);
    const { out } = await rowcall("agents", "archive", "doubler@1.0.0", "--json");
    assert.deepEqual(JSON.parse(out), {
      name: "doubler",
      version: "1.0.0",
      status: "archived",
      registry: workspace.at("registry"),
    });
    await rowcall("agents", "activate", "doubler@1.0.0");
    assert.equal((await rowcall("agents", "show", "doubler")).code, 0);
  });

  it("ask for the version, and for one that is there", async () => {
    const unversioned = await rowcall("agents", "deprecate", "doubler");
    assert.equal(unversioned.code, 2);
    assert.match(unversioned.err, /"doubler" names no version\nhint: Write it with its version: doubler@1\.0\.0/);
    const missing = await rowcall("agents", "deprecate", "doubler@2.0.0");
    assert.deepEqual(
      [missing.code, missing.err],
      [2, 'error: The agent "doubler" has no version 2.0.0\nhint: There is 1.0.0.\n'],
    );
  });

  it("leave the agents that come with Rowcall as they are", async () => {
    const { code, err } = await rowcall("agents", "archive", "broadband-availability-bt-wholesale@1.0.0");
    assert.equal(code, 2);
    assert.match(err, /is in .*, and .*registry is the registry that is written\nhint: Name the registry/);
  });
});

describe("rowcall agents and templates in DynamoDB", () => {
  useWorkspace(1, (made) => (workspace = made));
  let dynamodb: TestDynamodb;
  useTestDynamodb((started) => {
    dynamodb = started;
    env = started.env;
  });
  after(() => (env = {}));

  it("publishes to the tables, lists them and finds in them", async () => {
    const [agents, templates] = await dynamodb.createRegistries();
    const registries = ["--registry", agents, "--registry", templates];
    await workspace.write("mine.json", agent);
    await workspace.write("form.json", template);
    const published = await rowcall("agents", "publish", "mine.json", ...registries);
    assert.deepEqual([published.code, published.out], [0, `Published tripler@1.0.0 in ${agents}\n`]);
    const { out } = await rowcall("templates", "publish", "form.json", ...registries, "--json");
    assert.deepEqual(JSON.parse(out), { name: "form", version: "1.0.0", registry: templates });
    assert.match((await rowcall("agents", ...registries)).out, /^tripler +1\.0\.0 +active +function$/m);
    assert.equal((await rowcall("templates", "show", "form", ...registries)).code, 0);
    assert.match((await rowcall("agents", "publish", "mine.json", ...registries)).err, /published already/);
    await rowcall("templates", "archive", "form@1.0.0", ...registries);
    assert.match((await rowcall("templates", ...registries)).out, /^form +1\.0\.0 +archived/m);
  });

  it("takes the tables from ROWCALL_REGISTRY, and doctor looks at them", async () => {
    const registries = await dynamodb.createRegistries();
    env = { ...dynamodb.env, ROWCALL_REGISTRY: [...registries, "registry"].join(delimiter) };
    try {
      await workspace.write("mine.json", agent);
      assert.equal(
        (await rowcall("agents", "publish", "mine.json")).out,
        `Published tripler@1.0.0 in ${registries[0]}\n`,
      );
      const { checks } = JSON.parse((await rowcall("doctor", "--json")).out) as {
        checks: { id: string; status: string; detail: string }[];
      };
      const check = checks.find(({ id }) => id === "registry");
      assert.equal(check?.status, "passed");
      assert.match(check.detail, new RegExp(`3 agents and \\d+ templates in ${registries.join(", ")}, `));
      env = { ...dynamodb.env, ROWCALL_REGISTRY: "dynamodb:Nowhere" };
      assert.match((await rowcall("doctor")).out, /table Nowhere: there is none\n +hint: Check its name/);
    } finally {
      env = dynamodb.env;
    }
  });

  it("copies all versions to a table, and back to a folder as they were", async () => {
    const [agents] = await dynamodb.createRegistries();
    await workspace.write("registry/agents/doubler_v1.1.0.json", { ...agent, agent_name: "doubler", version: "1.1.0" });
    await workspace.write("registry/agents/tripler_v1.0.0.json", { ...agent, status: "archived" });
    const there = await rowcall("agents", "copy", "--to", agents);
    assert.equal(there.code, 0);
    assert.equal(there.out, "doubler@1.0.0: copied\ndoubler@1.1.0: copied\ntripler@1.0.0: copied\n");
    assert.equal(there.err, `3 agents copied to ${agents}\n`);
    const again = await rowcall("agents", "copy", "--to", agents, "--json");
    assert.equal(again.code, 0);
    assert.deepEqual(
      (JSON.parse(again.out) as { results: { result: string }[] }).results.map(({ result }) => result),
      ["equal", "equal", "equal"],
    );
    await rowcall("agents", "copy", "--registry", agents, "--to", "back");
    const listed = async (registry: string): Promise<unknown> =>
      JSON.parse((await rowcall("agents", "list", "--json", "--registry", registry)).out);
    assert.deepEqual(await listed("back"), await listed("registry"));
    assert.match(await workspace.read("back/agents/tripler_v1.0.0.json"), /"archived"/);
  });

  it("copies what is named: every version of a name, one version, also what comes with Rowcall", async () => {
    const [agents, templates] = await dynamodb.createRegistries();
    await workspace.write("registry/agents/tripler_v1.0.0.json", agent);
    await workspace.write("registry/agents/tripler_v1.1.0.json", { ...agent, version: "1.1.0" });
    const copied = async (...args: string[]): Promise<string> =>
      (await rowcall("agents", "copy", ...args, "--to", agents)).out;
    assert.equal(await copied("tripler@1.1.0"), "tripler@1.1.0: copied\n");
    assert.equal(await copied("tripler"), "tripler@1.0.0: copied\ntripler@1.1.0: is there already\n");
    const shipped = "broadband-availability-bt-wholesale";
    assert.equal(await copied(shipped), `${shipped}@1.0.0: copied\n`);
    const missing = await rowcall("agents", "copy", "triplr", "doubler", "--to", agents);
    assert.deepEqual(
      [missing.code, missing.err],
      [2, 'error: There is no agent "triplr" to copy\nhint: Did you mean "tripler"?\n'],
    );
    assert.match((await rowcall("agents", "copy", "--to", templates)).err, /^error: There is no registry to publish/);
  });

  it("overwrites nothing: what differs is an error at the end, when all else is copied", async () => {
    const [agents] = await dynamodb.createRegistries();
    await workspace.write("registry/agents/tripler_v1.0.0.json", agent);
    await workspace.write("mine.json", { ...agent, agent_name: "doubler", description: "another" });
    await rowcall("agents", "publish", "mine.json", "--registry", agents);
    const differing = await rowcall("agents", "copy", "--to", agents);
    assert.equal(differing.code, 2);
    assert.equal(differing.out, "doubler@1.0.0: differs from what is there, not copied\ntripler@1.0.0: copied\n");
    assert.match(
      differing.err,
      /error: 1 agent could not be copied to \S+: doubler@1\.0\.0: another one of this version is there already\nhint: Nothing is overwritten/,
    );
    const shown = await rowcall("agents", "show", "doubler", "--registry", agents, "--json");
    assert.equal((JSON.parse(shown.out) as { description: string }).description, "another");
    const { code, out } = await rowcall("agents", "copy", "--to", agents, "--json");
    const { results } = JSON.parse(out) as { results: { name: string; problem?: { code: string } }[] };
    assert.deepEqual([code, results[0]?.problem?.code], [2, "VERSION_EXISTS"]);
  });

  it("copies what can be read, and ends with 2 when something cannot", async () => {
    const [agents] = await dynamodb.createRegistries();
    await workspace.write("registry/agents/broken_v1.0.0.json", "{");
    await workspace.write("registry/agents/large_v1.0.0.json", {
      ...agent,
      agent_name: "large",
      description: "x".repeat(500_000),
    });
    const { code, out, err } = await rowcall("agents", "copy", "--to", agents);
    assert.equal(code, 2);
    assert.equal(out, "doubler@1.0.0: copied\nlarge@1.0.0: not copied\n");
    assert.match(err, /^warning: .*broken_v1\.0\.0\.json/);
    assert.match(err, /The agent large@1\.0\.0 takes 489 KB/);
    assert.equal((await rowcall("agents", "copy", "doubler", "--to", agents)).code, 0);
    const json = await rowcall("agents", "copy", "--to", agents, "--json");
    assert.equal(json.code, 2);
    assert.equal((JSON.parse(json.out) as { unreadable: string[] }).unreadable.length, 1);
  });
});
