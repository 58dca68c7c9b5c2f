import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { doctorChecks } from "../../src/cli/doctor/checks.ts";

test("docs/doctor.md has every check, in its order, and no other", async () => {
  const page = await readFile(new URL("../../docs/doctor.md", import.meta.url), "utf8");
  const documented = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, id]) => id);
  const checks = doctorChecks.map(({ id }) => id);
  assert.deepEqual(documented, checks);
});
