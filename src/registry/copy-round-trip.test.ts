import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { aTemplate, anAgent } from "../../test/contracts/registry-contract.ts";
import { useTestDynamodb, type TestDynamodb } from "../../test/fakes/registry-tables.ts";
import type { JsonValue } from "../core/json.ts";
import { openStores } from "../stores/open-store.ts";
import { openRegistry } from "./open-registry.ts";

let dynamodb: TestDynamodb;

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("", " ", "[]", '{"a":1}', "null", "1", "\u0000", "🏠", "é", "e\u0301", "\uFEFF", "a\r\nb"),
);
// DynamoDB keeps 0 and magnitudes of 1e-130 to 9.9e125; it has no names without a letter.
const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(2 ** 53, 2 ** 53 + 2, -(2 ** 63), 1e21, 123456789012345680000, 1e125, 1e-120, 5.1, 0.1 + 0.2),
);
const storable = number.filter((n) => n === 0 || (Math.abs(n) >= 1e-129 && Math.abs(n) <= 1e125)).map((n) => n + 0);
const key = text.filter((name) => name !== "" && name !== "__proto__");
const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    storable,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const object = fc.dictionary(key, value, { maxKeys: 5, noNullPrototype: true });

describe("the way between registries", () => {
  useTestDynamodb((started) => (dynamodb = started));

  test("documents are the same after the way from files to DynamoDB and back", async () => {
    await fc.assert(
      fc.asyncProperty(
        object,
        object,
        text,
        fc.array(text, { maxLength: 3 }),
        fc.array(object, { maxLength: 3 }),
        async (config, schema, description, aliases, steps) => {
          const tables = await dynamodb.createRegistries();
          const store = openStores({ baseDirectory: "/" });
          const [files, dynamo, back] = [["memory:files"], tables, ["memory:back"]].map((registries) =>
            openRegistry({ store, aws: dynamodb.aws, registries }),
          );
          assert.ok(files !== undefined && dynamo !== undefined && back !== undefined);
          const agent = anAgent({
            config,
            input_schema: schema,
            description,
            aliases,
            estimate: { seconds_per_row: 0.1 },
          });
          const template = aTemplate({ steps, variables: config, name: description, more: [schema, null] });
          await files.agents.publish(agent);
          await files.templates.publish(template);
          for (const [from, to] of [
            [files, dynamo],
            [dynamo, back],
          ] as const) {
            for (const document of await from.agents.list()) await to.agents.publish(document);
            for (const document of await from.templates.list()) await to.templates.publish(document);
          }
          assert.deepEqual(await back.agents.list(), [agent]);
          assert.deepEqual(await back.templates.list(), [template]);
        },
      ),
      { numRuns: 60 },
    );
  });
});
