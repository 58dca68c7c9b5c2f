import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { errorKind, errorTable, type ErrorCode } from "../../src/core/errors.ts";

const page = await readFile(new URL("../../docs/errors.md", import.meta.url), "utf8");

const sections = page
  .split(/^## /m)
  .slice(1)
  .map((section) => {
    const [code = "", , facts = "", , meaning = "", , advice = ""] = section.split("\n");
    return { code, facts, meaning, advice };
  });

function factsOf(code: ErrorCode): string {
  const { retryable, exitCode, httpStatus } = errorKind(code);
  return `${retryable ? "Tried again" : "Not tried again"} · exit code ${exitCode} · HTTP ${httpStatus}`;
}

test("the errors page has one section per code, in the order of the table", () => {
  assert.deepEqual(
    sections.map((section) => section.code),
    Object.keys(errorTable),
  );
});

test("each section says as the table does whether it is tried again, the exit code and the HTTP status", () => {
  const said = Object.fromEntries(sections.map((section) => [section.code, section.facts]));
  const expected = Object.fromEntries(Object.keys(errorTable).map((code) => [code, factsOf(code as ErrorCode)]));
  assert.deepEqual(said, expected);
});

test("each section says what the error means and what to do", () => {
  for (const { code, meaning, advice } of sections) {
    assert.match(meaning, /\w.*\.$/, code);
    assert.match(advice, /^\*\*What to do:\*\* .*\.$/, code);
  }
});

test("the errors page lists every code in its table of contents", () => {
  for (const { code } of sections) assert.ok(page.includes(`[${code}](#${code.toLowerCase()})`), code);
});

test("every code is the code of an error that is made somewhere, by the program or by a template that comes with it", async () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const files = await Array.fromAsync(glob(["src/**/*.ts", "registry/templates/*.json"], { cwd: root }));
  const sources = files.filter((file) => !file.endsWith(".test.ts") && file !== join("src", "core", "errors.ts"));
  const made = new Set<string>();
  for (const file of sources) {
    const source = await readFile(join(root, file), "utf8");
    // The argument of a call, the value of a property, or one of two that are chosen from; no place where a code is compared or listed.
    for (const [, code = ""] of source.matchAll(/(?:(?<!\bincludes)\(|[?:])\s*"([A-Z_]+)"(?! \|)/g)) made.add(code);
  }
  assert.deepEqual(
    Object.keys(errorTable).filter((code) => !made.has(code)),
    [],
  );
});
