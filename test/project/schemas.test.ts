import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import { staleSchemas } from "../../scripts/schemas.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(join(root, path), "utf8")) as unknown;
}

test("the published JSON Schemas, and the page with the operations of the API, are those of the code", async () => {
  assert.deepEqual([...(await staleSchemas()).keys()], [], "write them anew with: npm run schemas");
});

for (const [schema, files] of [
  ["batch", ["examples/*/batch.json", "examples/*/*_batch_config.json"]],
  ["agent", ["{registry,examples/*/registry}/agents/*.json"]],
  ["template", ["{registry,examples/*/registry}/templates/*.json"]],
] as const) {
  test(`the ${schema} files that come along fit the published ${schema} schema`, async () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const validate = ajv.compile((await readJson(`schemas/${schema}.schema.json`)) as object);
    const paths = await Array.fromAsync(glob([...files], { cwd: root }));
    assert.ok(paths.length > 0);
    for (const path of paths) {
      assert.ok(validate(await readJson(path)), `${path}: ${ajv.errorsText(validate.errors)}`);
    }
  });
}
