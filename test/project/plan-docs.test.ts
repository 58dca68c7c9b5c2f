import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { checkTitles } from "../../src/app/check.ts";

const page = await readFile(new URL("../../docs/plan.md", import.meta.url), "utf8");

test("docs/plan.md has every check of a plan in its order, and no other", () => {
  const ids = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, id]) => id);
  assert.deepEqual(ids, Object.keys(checkTitles));
});
