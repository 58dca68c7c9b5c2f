import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { batchJsonSchema, parseBatch } from "../../src/core/batch-file.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";

const page = await readFile(new URL("../../docs/batch-file.md", import.meta.url), "utf8");

/** Keys as the page writes them: `a.b` for a key within an object, `a[].b` within a list, `a.*` for any key. */
function keysOf(schema: JsonValue | undefined, path = ""): string[] {
  if (!isJsonObject(schema)) return [];
  const options = ["anyOf", "oneOf", "allOf"].flatMap((name) => (schema[name] ?? []) as readonly JsonValue[]);
  const properties = Object.entries((schema["properties"] ?? {}) as JsonObject);
  return [
    ...(path === "" || options.length > 0 ? [] : [path]),
    ...options.flatMap((option) => keysOf(option, path)),
    ...properties.flatMap(([key, value]) => keysOf(value, path === "" ? key : `${path}.${key}`)),
    ...withinObjects(schema["items"]).flatMap((items) => keysOf(items, `${path}[]`)),
    ...withinObjects(schema["additionalProperties"]).flatMap((any) => keysOf(any, `${path}.*`)),
  ].filter((key) => !/(\[\]|\.\*)$/.test(key));
}

function withinObjects(schema: JsonValue | undefined): readonly JsonObject[] {
  if (!isJsonObject(schema)) return [];
  const options = ["anyOf", "oneOf"].flatMap((name) => (schema[name] ?? []) as readonly JsonValue[]);
  return [schema, ...options].filter(isJsonObject).filter((option) => option["properties"] !== undefined);
}

test("docs/batch-file.md has every key of a batch file, and no other", () => {
  const documented = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, key = ""]) => key);
  assert.deepEqual([...new Set(documented)].toSorted(), [...new Set(keysOf(batchJsonSchema()))].toSorted());
  assert.equal(documented.length, new Set(documented).size, "a key is there twice");
});

test("the batch file shown in docs/batch-file.md is valid", () => {
  const [, example = ""] = /^```json\n(\{\n {2}"\$schema".*?)^```/ms.exec(page) ?? [];
  const batch = parseBatch(JSON.parse(example), "example");
  assert.equal(batch.agent.name, "broadband-availability-bt-wholesale");
});
