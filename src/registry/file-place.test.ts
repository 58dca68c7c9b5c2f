import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { aTemplate, anAgent, registryContract } from "../../test/contracts/registry-contract.ts";
import type { RowcallError } from "../core/errors.ts";
import type { ObjectStore } from "../core/object-store.ts";
import { openStores } from "../stores/open-store.ts";
import { openRegistry } from "./open-registry.ts";

registryContract("registry of files in memory", async () => ({
  registry: openRegistry({ store: openStores({ baseDirectory: tmpdir() }), registries: ["memory:registry"] }),
  close: async () => {},
}));

for (const [form, toDirectory] of [
  ["a folder", (folder: string) => folder],
  ["a file: URI", (folder: string) => pathToFileURL(folder).href],
] as const) {
  registryContract(`registry of files in ${form}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "rowcall registry "));
    const store = openStores({ baseDirectory: folder });
    return {
      registry: openRegistry({ store, registries: [toDirectory(folder)] }),
      close: () => rm(folder, { recursive: true }),
    };
  });
}

function openMemory(): ObjectStore {
  return openStores({ baseDirectory: tmpdir() });
}

async function put(store: ObjectStore, path: string, content: unknown): Promise<void> {
  await store.write(`memory:${path}`, Buffer.from(typeof content === "string" ? content : JSON.stringify(content)));
}

const lookup = { agent_name: "lookup", version: "1.0.0", kind: "function", structured_output: { enabled: true } };

test("publishes under the name and version, in the first folder, and leaves nothing else there", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-registry-"));
  try {
    const store = openStores({ baseDirectory: folder });
    const { agents, templates } = openRegistry({ store, registries: ["mine", "shipped"] });
    await agents.publish(anAgent());
    await templates.publish(aTemplate());
    const files = await readdir(folder, { recursive: true });
    assert.deepEqual(files.toSorted(), [
      "mine",
      join("mine", "agents"),
      join("mine", "agents", "lookup_v1.0.0.json"),
      join("mine", "templates"),
      join("mine", "templates", "check_line_v1.0.0.json"),
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("reads all folders; the earlier one counts where both hold a version", async () => {
  const store = openMemory();
  await put(store, "mine/agents/lookup_v1.0.0.json", { ...lookup, description: "mine" });
  await put(store, "shipped/agents/lookup_v1.0.0.json", { ...lookup, description: "shipped" });
  await put(store, "shipped/agents/lookup_v1.1.0.json", { ...lookup, version: "1.1.0" });
  const { agents } = openRegistry({ store, registries: ["memory:mine", "memory:shipped"] });
  assert.equal((await agents.resolve({ name: "lookup" })).version, "1.1.0");
  assert.equal((await agents.resolve({ name: "lookup", version: "1.0.0" })).description, "mine");
  assert.equal((await agents.list()).length, 2);
  await assert.rejects(agents.publish(anAgent({ version: "1.1.0" })), { code: "VERSION_EXISTS" });
});

test("reads YAML, and folders within the folder", async () => {
  const store = openMemory();
  await put(
    store,
    "r/agents/telecom/lookup_v1.0.0.yaml",
    'agent_name: lookup\nversion: "1.0.0"\nkind: function\nstructured_output:\n  enabled: true\n  output_fields: [speed]\n',
  );
  const { agents } = openRegistry({ store, registries: ["memory:r"] });
  assert.deepEqual((await agents.resolve({ name: "lookup" })).structured_output.output_fields, ["speed"]);
});

test("a file that holds another name or version than its own is not taken", async () => {
  const store = openMemory();
  await put(store, "r/agents/lookup_v2.0.0.json", lookup);
  await put(store, "r/templates/check_v1.0.0.json", { template_id: "check_line", version: "1.0.0" });
  const { agents, templates } = openRegistry({ store, registries: ["memory:r"] });
  await assert.rejects(agents.resolve({ name: "lookup" }), {
    code: "AGENT_INVALID",
    message: "The agent file memory:r/agents/lookup_v2.0.0.json holds lookup 1.0.0",
    hint: /lookup_v1\.0\.0\.json/,
  });
  await assert.rejects(templates.resolve({ name: "check" }), {
    code: "TEMPLATE_INVALID",
    message: /check_v1\.0\.0\.json/,
  });
});

test("a broken file fails only what resolves to it", async () => {
  const store = openMemory();
  await put(store, "r/agents/lookup_v1.0.0.json", { ...lookup, aliases: ["lookup-prod"] });
  await put(store, "r/agents/broken_v1.0.0.json", { ...lookup, agent_name: "broken" });
  await put(store, "r/agents/broken_v1.1.0.json", "{ not json");
  const { agents } = openRegistry({ store, registries: ["memory:r"] });
  assert.equal((await agents.resolve({ name: "lookup-prod" })).agent_name, "lookup");
  assert.equal((await agents.resolve({ name: "broken", version: "1.0.0" })).version, "1.0.0");
  await assert.rejects(agents.resolve({ name: "broken" }), {
    code: "AGENT_INVALID",
    message: /^The agent file memory:r\/agents\/broken_v1\.1\.0\.json is not JSON: .+ \(line 1, column 3\)$/,
  });
  await assert.rejects(agents.resolve({ name: "brokn" }), { code: "AGENT_NOT_FOUND", hint: /"broken"/ });
});

test("a file in which something would be lost is invalid, and told by the key", async () => {
  const store = openMemory();
  const { agents } = openRegistry({ store, registries: ["memory:r"] });
  for (const [name, text, message] of [
    [
      "id_v1.0.0.json",
      '{"agent_name": "id", "config": {"account": 12345678901234567890}}',
      /config\.account: 12345678901234567890/,
    ],
    ["id_v1.0.0.yaml", "agent_name: id\nconfig:\n  account: 0123\n", /config\.account: 0123 .+ \(line 3, column 12\)/],
    ["id_v1.0.0.json", '{"agent_name": "id", "config": {}, "config": {}}', /key "config" is given twice/],
    ["id_v1.0.0.yaml", `agent_name: id\nconfig: ${"[".repeat(20_000)}`, /config: nested deeper than 200 levels/],
  ] as const) {
    await put(store, `r/agents/${name}`, text);
    await assert.rejects(agents.resolve({ name: "id" }), { code: "AGENT_INVALID", message });
    await store.delete(`memory:r/agents/${name}`);
  }
});

test("list tells of files it cannot read, wrongly named ones too, and leaves them out", async () => {
  const store = openMemory();
  await put(store, "r/agents/lookup_v1.0.0.json", lookup);
  await put(store, "r/agents/half_v1.0.0.json", { agent_name: "half" });
  await put(store, "r/agents/lookup.json", lookup);
  await put(store, "r/agents/README.md", "# Agents");
  const problems: RowcallError[] = [];
  const registries = ["memory:r"];
  const { agents } = openRegistry({ store, registries, onProblem: (problem) => void problems.push(problem) });
  assert.deepEqual(
    (await agents.list()).map((agent) => agent.agent_name),
    ["lookup"],
  );
  assert.deepEqual(
    problems.map(({ code, message }) => [code, /r\/agents\/(\S+)/.exec(message)?.[1]]),
    [
      ["AGENT_INVALID", "lookup.json"],
      ["AGENT_INVALID", "half_v1.0.0.json"],
    ],
  );
  await assert.rejects(openRegistry({ store, registries }).agents.list(), { code: "AGENT_INVALID" });
});

test("refuses a name that would leave the folder", async () => {
  const { agents } = openRegistry({ store: openMemory(), registries: ["memory:r"] });
  for (const name of ["../evil", "a/b", ".hidden", "a\\b", " a"]) {
    await assert.rejects(
      agents.publish(anAgent({ agent_name: name })),
      { code: "AGENT_INVALID", hint: /letter/ },
      name,
    );
  }
  await assert.rejects(agents.resolve({ name: "../../etc/passwd" }), { code: "AGENT_NOT_FOUND" });
});

async function text(store: ObjectStore, path: string): Promise<string> {
  return Buffer.concat(await Array.fromAsync(store.read(`memory:${path}`))).toString("utf8");
}

test("a changed status keeps a JSON file's indentation and order, and what only the file says", async () => {
  const store = openMemory();
  const { agents } = openRegistry({ store, registries: ["memory:r"] });
  const at = { name: "lookup", version: "1.0.0" };
  const { version, ...rest } = lookup;
  const before = { $schema: "../agent.json", version, status: "active", ...rest };
  for (const indent of ["\t", "    ", undefined]) {
    const written = (status: string): string => `${JSON.stringify({ ...before, status }, undefined, indent)}\n`;
    await put(store, "r/agents/lookup_v1.0.0.json", `\uFEFF${written("active")}`);
    await agents.setStatus(at, "deprecated");
    assert.equal(await text(store, "r/agents/lookup_v1.0.0.json"), written("deprecated"));
  }
  await put(store, "r/agents/lookup_v1.0.0.json", lookup);
  await agents.setStatus(at, "archived");
  assert.equal(
    await text(store, "r/agents/lookup_v1.0.0.json"),
    `${JSON.stringify({ ...lookup, status: "archived" })}\n`,
  );
});

test("a changed status keeps a YAML file's comments, and one that was absent is added", async () => {
  const store = openMemory();
  const { templates } = openRegistry({ store, registries: ["memory:r"] });
  const written = (status: string): string =>
    `# The form\ntemplate_id: form # its name\nversion: "1.0.0"\n${status}steps:\n  # first\n  - goto: "/"\n`;
  await put(store, "r/templates/deep/form_v1.0.0.yaml", written("status: active # for now\n"));
  await templates.setStatus({ name: "form", version: "1.0.0" }, "deprecated");
  assert.equal(await text(store, "r/templates/deep/form_v1.0.0.yaml"), written("status: deprecated # for now\n"));
  await put(store, "r/templates/deep/form_v1.0.0.yaml", written(""));
  await templates.setStatus({ name: "form", version: "1.0.0" }, "archived");
  assert.equal(await text(store, "r/templates/deep/form_v1.0.0.yaml"), `${written("")}status: archived\n`);
});

test("changes the status of no broken file", async () => {
  const store = openMemory();
  await put(store, "r/agents/lookup_v1.0.0.json", "{ not json");
  const { agents } = openRegistry({ store, registries: ["memory:r"] });
  await assert.rejects(agents.setStatus({ name: "lookup", version: "1.0.0" }, "archived"), { code: "AGENT_INVALID" });
  assert.equal(await text(store, "r/agents/lookup_v1.0.0.json"), "{ not json");
});
