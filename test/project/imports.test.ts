import assert from "node:assert/strict";
import { glob } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const source = new URL("../../src/", import.meta.url);

// Files that no test loads would be missing from the coverage, not count against it.
test("every source file can be imported by itself", async () => {
  const files = await Array.fromAsync(glob("**/*.ts", { cwd: fileURLToPath(source) }));
  for (const file of files.filter((name) => !name.endsWith(".test.ts"))) {
    await assert.doesNotReject(async () => {
      await import(new URL(file, source).href);
    }, file);
  }
});
