import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { aTemplate, anAgent, registryContract } from "../../test/contracts/registry-contract.ts";
import { useTestDynamodb, type TestDynamodb } from "../../test/fakes/registry-tables.ts";
import type { ObjectStore } from "../core/object-store.ts";
import { openStores } from "../stores/open-store.ts";
import { openRegistry } from "./open-registry.ts";

let dynamodb: TestDynamodb;

function openMemory(): ObjectStore {
  return openStores({ baseDirectory: "/" });
}

describe("a registry of several parts", () => {
  useTestDynamodb((started) => (dynamodb = started));

  registryContract("registry of a table of agents, a folder and a table of templates", async () => {
    const [agents, templates] = await dynamodb.createRegistries();
    return {
      registry: openRegistry({
        store: openMemory(),
        aws: dynamodb.aws,
        registries: [agents, "memory:mine", templates],
        bundled: "memory:bundled",
      }),
      close: async () => {},
    };
  });

  test("publishes to the first that can hold the kind, and never to the bundled one", async () => {
    const [agents, templates] = await dynamodb.createRegistries();
    const open = (...registries: readonly string[]): ReturnType<typeof openRegistry> =>
      openRegistry({ store: openMemory(), aws: dynamodb.aws, registries, bundled: "memory:bundled" });
    const mixed = open(templates, agents, "memory:mine");
    assert.equal(await mixed.agents.publish(anAgent()), agents);
    assert.equal(await mixed.templates.publish(aTemplate()), templates);
    assert.equal(await open(templates, "memory:mine").agents.publish(anAgent()), "memory:mine");
    await assert.rejects(open(agents).templates.publish(aTemplate({ version: "2.0.0" })), {
      code: "USAGE_INVALID",
      message: "There is no registry to publish the template to",
      hint: /template_id and version/,
    });
    assert.equal(await open("memory:bundled").agents.publish(anAgent()), "memory:bundled");
  });

  test("finds the newest active version across all, the earlier one counting where two hold it", async () => {
    const [agents] = await dynamodb.createRegistries();
    const store = openMemory();
    const of = (...registries: readonly string[]): ReturnType<typeof openRegistry> =>
      openRegistry({ store, aws: dynamodb.aws, registries });
    await of(agents).agents.publish(anAgent({ description: "table" }));
    await of("memory:mine").agents.publish(anAgent({ description: "folder" }));
    await of("memory:mine").agents.publish(anAgent({ version: "1.1.0", aliases: ["lookup-prod"] }));
    const described = async (...registries: readonly string[]): Promise<unknown> =>
      (await of(...registries).agents.resolve({ name: "lookup", version: "1.0.0" })).description;
    assert.deepEqual(
      [await described(agents, "memory:mine"), await described("memory:mine", agents)],
      ["table", "folder"],
    );
    const both = of(agents, "memory:mine").agents;
    assert.equal((await both.resolve({ name: "lookup" })).version, "1.1.0");
    assert.equal((await both.resolve({ name: "lookup-prod" })).version, "1.1.0");
    assert.equal((await both.list()).length, 2);
    await assert.rejects(both.publish(anAgent({ version: "1.1.0" })), { code: "VERSION_EXISTS" });
    await assert.rejects(both.resolve({ name: "lokup" }), {
      hint: `Did you mean "lookup"? Looked in ${agents}, memory:mine.`,
    });
  });

  test("changes a status only where it publishes to, and says where a version lives", async () => {
    const [agents] = await dynamodb.createRegistries();
    const store = openMemory();
    const options = { store, aws: dynamodb.aws };
    await openRegistry({ ...options, registries: ["memory:bundled"] }).agents.publish(anAgent());
    await openRegistry({ ...options, registries: [agents] }).agents.publish(anAgent({ version: "1.1.0" }));
    const registry = openRegistry({ ...options, registries: ["memory:mine", agents], bundled: "memory:bundled" });
    for (const [version, address] of [
      ["1.0.0", "memory:bundled"],
      ["1.1.0", agents],
    ] as const) {
      await assert.rejects(registry.agents.setStatus({ name: "lookup", version }, "archived"), {
        code: "USAGE_INVALID",
        message: `The agent lookup@${version} is in ${address}, and memory:mine is the registry that is written`,
        hint: `Name the registry that it is in first: --registry ${address}`,
      });
    }
    assert.deepEqual(new Set((await registry.agents.list()).map(({ status }) => status)), new Set(["active"]));
  });
});
