import assert from "node:assert/strict";
import { test } from "node:test";
import { staleSchemas } from "../../scripts/schemas.ts";

test("the published JSON Schemas are those of the code", async () => {
  assert.deepEqual([...(await staleSchemas()).keys()], [], "write them anew with: npm run schemas");
});
