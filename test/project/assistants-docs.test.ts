import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { tools } from "../../src/cli/mcp/tools.ts";

const page = await readFile(new URL("../../docs/assistants.md", import.meta.url), "utf8");

test("docs/assistants.md has every tool with its arguments, in order, and no other", () => {
  const documented = [...page.matchAll(/^\| `(\w+)` \| ([^|]*) \|/gm)].map(([, name, args = ""]) => [
    name,
    ...args.matchAll(/`(\w+)`/g).map(([, argument]) => argument),
  ]);
  assert.deepEqual(
    documented,
    tools.map(({ name, input }) => [name, ...Object.keys(input.shape)]),
  );
});
