import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const page = await readFile(join(root, "docs/threat-model.md"), "utf8");
const [, table = ""] = /## Attacks, and what is done\n(.*?)\n## /s.exec(page) ?? [];
const rows = table
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .slice(1)
  .map((line) => line.slice(2, -2).split(" | "));

test("every attack in the threat model has a defence and a test that is there", async () => {
  assert.notEqual(rows.length, 0);
  for (const cells of rows) {
    const [attack = "", defence = "", tests = ""] = cells;
    assert.equal(cells.length, 3, attack);
    assert.notEqual(defence.trim(), "", attack);
    const named = [...tests.matchAll(/`((?:src|test)\/[^`]+\.test\.ts)`(?:: ([^,;`]+))?/g)];
    assert.notEqual(named.length, 0, `no test against: ${attack}`);
    for (const [, path = "", name] of named) {
      assert.ok(existsSync(join(root, path)), `${attack}: there is no ${path}`);
      const code = await readFile(join(root, path), "utf8");
      if (name !== undefined) assert.ok(code.includes(name.trim()), `${attack}: ${path} has no test "${name.trim()}"`);
    }
  }
});
