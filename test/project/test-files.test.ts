import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Lines of all test files that match, with their place. */
async function linesLike(pattern: RegExp): Promise<readonly string[]> {
  const files = await Array.fromAsync(glob("{src,test,examples,infra}/**/*.test.ts", { cwd: root }));
  const texts = await Promise.all(files.map(async (file) => [file, await readFile(join(root, file), "utf8")] as const));
  return texts.flatMap(([file, text]) =>
    text.split("\n").flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
  );
}

// Files share processes: a hook outside of describe() would run around the tests of other files.
test("hooks are inside of a suite", async () => {
  assert.deepEqual(await linesLike(/^(?:before|after|beforeEach|afterEach)\(/), []);
});

test("no test is skipped, postponed or run alone", async () => {
  assert.deepEqual(
    await linesLike(/\b(?:test|it|describe|suite)\.(?:skip|todo|only)\(|\b(?:skip|todo|only): true/),
    [],
  );
});
