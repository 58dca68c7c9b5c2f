import assert from "node:assert/strict";
import { parseAgent, type AgentDefinition } from "../../src/core/agent.ts";
import type { Registry } from "../../src/core/registry.ts";
import { parseTemplateDocument, type TemplateDocument } from "../../src/core/template.ts";
import { contractTests } from "./contract-tests.ts";

/** A registry to hold to its contract. */
export interface RegistryUnderTest {
  /** Empty. */
  readonly registry: Registry;
  close(): Promise<void>;
}

/** An agent document, complete but for what is given. */
export function anAgent(over: Readonly<Record<string, unknown>> = {}): AgentDefinition {
  const value = {
    agent_name: "lookup",
    version: "1.0.0",
    kind: "function",
    structured_output: { enabled: true, output_fields: ["speed"] },
  };
  return parseAgent({ ...value, ...over }, "agent");
}

/** A template document, complete but for what is given. */
export function aTemplate(over: Readonly<Record<string, unknown>> = {}): TemplateDocument {
  return parseTemplateDocument(
    { template_id: "check_line", version: "1.0.0", steps: [{ goto: "/" }], ...over },
    "template",
  );
}

/** Holds a registry to the contract of `Registry` and `Catalog`. */
export function registryContract(name: string, open: () => Promise<RegistryUnderTest>): void {
  const tests = contractTests(name, open);
  const registryTest = (behaviour: string, run: (registry: Registry) => Promise<void>): void =>
    tests(behaviour, ({ registry }) => run(registry));
  const publish = async (
    { agents }: Registry,
    ...documents: readonly Readonly<Record<string, unknown>>[]
  ): Promise<void> => {
    for (const document of documents) await agents.publish(anAgent(document));
  };

  registryTest("gives back the document that was published, whole", async ({ agents, templates }) => {
    const agent = anAgent({
      aliases: ["lookup-prod"],
      config: { text: '"quoted" \\ & 🏠\n', list: [1, null, { a: true }] },
    });
    await agents.publish(agent);
    assert.deepEqual(await agents.resolve({ name: "lookup" }), agent);
    await templates.publish(aTemplate({ steps: [{ fill: { label: "PostCode" } }] }));
    assert.deepEqual((await templates.resolve({ name: "check_line" }))["steps"], [{ fill: { label: "PostCode" } }]);
  });

  registryTest("resolves a name to its newest active version, by number and not by letter", async (registry) => {
    await publish(registry, { version: "1.9.0" }, { version: "1.10.0" }, { version: "1.2.0" });
    await publish(
      registry,
      { version: "2.0.0", status: "draft" },
      { version: "3.0.0", status: "deprecated" },
      { version: "4.0.0", status: "archived" },
    );
    assert.equal((await registry.agents.resolve({ name: "lookup" })).version, "1.10.0");
  });

  registryTest("resolves a version that is named, whatever its status but archived", async (registry) => {
    await publish(
      registry,
      { version: "1.0.0" },
      { version: "2.0.0", status: "draft" },
      { version: "3.0.0", status: "deprecated" },
    );
    await publish(registry, { version: "4.0.0", status: "archived" });
    for (const version of ["1.0.0", "2.0.0", "3.0.0"]) {
      assert.equal((await registry.agents.resolve({ name: "lookup", version })).version, version);
    }
    await assert.rejects(registry.agents.resolve({ name: "lookup", version: "4.0.0" }), {
      code: "AGENT_NOT_FOUND",
      hint: /4\.0\.0 \(archived\)/,
    });
  });

  registryTest("names the versions there are when none fits", async (registry) => {
    await publish(registry, { version: "1.0.0", status: "draft" }, { version: "1.1.0", status: "draft" });
    await assert.rejects(registry.agents.resolve({ name: "lookup" }), {
      code: "AGENT_NOT_FOUND",
      message: 'The agent "lookup" has no active version',
      hint: /1\.1\.0 \(draft\), 1\.0\.0 \(draft\)/,
    });
    await assert.rejects(registry.agents.resolve({ name: "lookup", version: "9.0.0" }), {
      code: "AGENT_NOT_FOUND",
      message: /no version 9\.0\.0/,
    });
  });

  registryTest("resolves an alias to the newest active version that has it", async (registry) => {
    await publish(
      registry,
      { version: "1.0.0", aliases: ["lookup-prod"] },
      { version: "1.1.0", aliases: ["lookup-prod"] },
      { version: "1.2.0" },
    );
    assert.equal((await registry.agents.resolve({ name: "lookup-prod" })).version, "1.1.0");
    assert.equal((await registry.agents.resolve({ name: "lookup-prod", version: "1.0.0" })).version, "1.0.0");
  });

  registryTest("a name of its own wins over another's alias", async (registry) => {
    await publish(registry, { agent_name: "old", aliases: ["new"] }, { agent_name: "new" });
    assert.equal((await registry.agents.resolve({ name: "new" })).agent_name, "new");
  });

  registryTest("refuses an alias that two agents claim", async (registry) => {
    await publish(registry, { agent_name: "one", aliases: ["any"] }, { agent_name: "two", aliases: ["any"] });
    await assert.rejects(registry.agents.resolve({ name: "any" }), { code: "AGENT_INVALID", message: /one, two/ });
  });

  registryTest("names what is near when nothing is found, aliases too", async (registry) => {
    await publish(registry, { agent_name: "broadband", aliases: ["fibre-check"] });
    await assert.rejects(registry.agents.resolve({ name: "brodband" }), {
      code: "AGENT_NOT_FOUND",
      message: /"brodband"/,
      hint: /Did you mean "broadband"\?/,
    });
    await assert.rejects(registry.agents.resolve({ name: "fiber-check", version: "1.0.0" }), {
      message: /fiber-check@1\.0\.0/,
      hint: /"fibre-check"/,
    });
    await assert.rejects(registry.templates.resolve({ name: "broadband" }), {
      code: "TEMPLATE_NOT_FOUND",
      hint: /There are none\./,
    });
  });

  registryTest("never overwrites a version", async ({ agents, templates }) => {
    await agents.publish(anAgent({ description: "first" }));
    await assert.rejects(agents.publish(anAgent({ description: "second" })), {
      code: "VERSION_EXISTS",
      message: /1\.0\.0.*"lookup"/,
    });
    assert.equal((await agents.resolve({ name: "lookup" })).description, "first");
    await templates.publish(aTemplate());
    await assert.rejects(templates.publish(aTemplate()), { code: "VERSION_EXISTS" });
  });

  registryTest("of many that publish the same version at once, exactly one succeeds", async ({ agents }) => {
    const settled = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => agents.publish(anAgent({ description: String(i) }))),
    );
    const won = settled.flatMap(({ status }, i) => (status === "fulfilled" ? [String(i)] : []));
    assert.equal(won.length, 1);
    for (const result of settled)
      if (result.status === "rejected") assert.equal((result.reason as { code: string }).code, "VERSION_EXISTS");
    assert.equal((await agents.resolve({ name: "lookup" })).description, won[0]);
  });

  registryTest("lists all versions by name, oldest first", async (registry) => {
    await publish(
      registry,
      { agent_name: "b" },
      { agent_name: "a", version: "1.10.0" },
      { agent_name: "a", version: "1.9.0", status: "archived" },
    );
    await publish(registry, { agent_name: "a-b" });
    const listed = (await registry.agents.list()).map((agent) => `${agent.agent_name} ${agent.version}`);
    assert.deepEqual(listed, ["a 1.9.0", "a 1.10.0", "a-b 1.0.0", "b 1.0.0"]);
    assert.deepEqual(await registry.templates.list(), []);
  });

  registryTest("finds what is published after it was opened", async ({ agents }) => {
    await assert.rejects(agents.resolve({ name: "lookup" }), { code: "AGENT_NOT_FOUND" });
    await agents.publish(anAgent());
    assert.equal((await agents.resolve({ name: "lookup" })).version, "1.0.0");
  });

  registryTest("says where it published to", async ({ agents, templates }) => {
    const places = [await agents.publish(anAgent()), await templates.publish(aTemplate())];
    for (const place of places) assert.notEqual(place, "");
    assert.equal(await agents.setStatus({ name: "lookup", version: "1.0.0" }, "draft"), places[0]);
  });

  registryTest("changes a version's status and nothing else of it", async ({ agents, templates }) => {
    const agent = anAgent({ description: "speed", config: { a: [1, null, "", { b: "é" }] } });
    await agents.publish(agent);
    for (const status of ["deprecated", "deprecated", "draft", "active"] as const) {
      await agents.setStatus({ name: "lookup", version: "1.0.0" }, status);
      assert.deepEqual(await agents.resolve({ name: "lookup", version: "1.0.0" }), { ...agent, status });
    }
    await templates.publish(aTemplate());
    await templates.setStatus({ name: "check_line", version: "1.0.0" }, "deprecated");
    assert.deepEqual(await templates.list(), [aTemplate({ status: "deprecated" })]);
  });

  registryTest(
    "a name means the version before once the newest is deprecated, and again when it is active",
    async (registry) => {
      await publish(registry, { version: "1.0.0" }, { version: "1.1.0" });
      const { agents } = registry;
      const meant = async (): Promise<string> => (await agents.resolve({ name: "lookup" })).version;
      await agents.setStatus({ name: "lookup", version: "1.1.0" }, "deprecated");
      assert.equal(await meant(), "1.0.0");
      await agents.setStatus({ name: "lookup", version: "1.1.0" }, "archived");
      await assert.rejects(agents.resolve({ name: "lookup", version: "1.1.0" }), { code: "AGENT_NOT_FOUND" });
      await agents.setStatus({ name: "lookup", version: "1.1.0" }, "active");
      assert.equal(await meant(), "1.1.0");
    },
  );

  registryTest("changes the status of no version that is not there, and makes none", async (registry) => {
    const { agents, templates } = registry;
    await publish(registry, { version: "1.0.0" }, { version: "1.10.0" }, { version: "1.9.0" });
    await assert.rejects(agents.setStatus({ name: "lookup", version: "2.0.0" }, "archived"), {
      code: "AGENT_NOT_FOUND",
      message: 'The agent "lookup" has no version 2.0.0',
      hint: "There is 1.10.0, 1.9.0, 1.0.0.",
    });
    await assert.rejects(agents.setStatus({ name: "lokup", version: "1.0.0" }, "archived"), {
      code: "AGENT_NOT_FOUND",
      hint: /Did you mean "lookup"\?/,
    });
    await assert.rejects(templates.setStatus({ name: "lookup", version: "1.0.0" }, "archived"), {
      code: "TEMPLATE_NOT_FOUND",
    });
    assert.equal((await agents.list()).length, 3);
    assert.deepEqual(await templates.list(), []);
  });
}
