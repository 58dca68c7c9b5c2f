import assert from "node:assert/strict";
import { test } from "node:test";
import { readSchemaForm, schemaForm } from "./schema-form.ts";

const schema = {
  type: "object",
  properties: {
    name: { type: "string", description: "As written" },
    size: { type: "integer" },
    kind: { enum: ["a", "b"] },
    open: { type: "boolean" },
    tags: { type: "array" },
  },
  required: ["name"],
};

test("makes a field of each property, with its choices, description and value", async () => {
  const html = String(await schemaForm(schema, { name: 'A "b"', kind: "b", extra: 1 }));
  assert.match(html, /name="input\.name" id="field-name" aria-describedby="field-name-about" required/);
  assert.match(html, /value="A &quot;b&quot;"/);
  assert.match(html, /type="number" step="1"/);
  assert.match(html, /<option value="b" selected>/);
  assert.match(html, /name="input\.extra"/);
});

test("asks for JSON when the agent names no fields", async () => {
  assert.match(String(await schemaForm(undefined, {})), /<textarea id="input-json" name="json"/);
});

test("reads what was filled in as the schema has it", () => {
  const fields = [
    ["input.name", "12"],
    ["input.size", "3"],
    ["input.kind", "a"],
    ["input.open", "true"],
    ["input.tags", '["x"]'],
    ["other", "1"],
  ] as const;
  assert.deepEqual(readSchemaForm(schema, fields), { name: "12", size: 3, kind: "a", open: true, tags: ["x"] });
});

test("leaves an empty optional field out and keeps an empty required one", () => {
  const fields = [
    ["input.name", ""],
    ["input.size", ""],
  ] as const;
  assert.deepEqual(readSchemaForm(schema, fields), { name: "" });
});

test("passes on what is not valid as text, so that the agent's schema can say so", () => {
  assert.deepEqual(readSchemaForm(schema, [["input.size", "three"]]), { size: "three" });
});
