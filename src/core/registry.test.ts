import assert from "node:assert/strict";
import { test } from "node:test";
import { compareVersions, formatReference, parseReference } from "./registry.ts";

test("reads a reference with and without a version", () => {
  assert.deepEqual(parseReference("lookup"), { name: "lookup" });
  assert.deepEqual(parseReference("lookup@1.2.3"), { name: "lookup", version: "1.2.3" });
});

test("takes the last @ for the version, so that scoped names work", () => {
  assert.deepEqual(parseReference("@team/lookup"), { name: "@team/lookup" });
  assert.deepEqual(parseReference("@team/lookup@2.0.0"), { name: "@team/lookup", version: "2.0.0" });
});

test("writes a reference as it is read", () => {
  for (const text of ["lookup", "lookup@1.2.3", "@team/lookup@2.0.0"])
    assert.equal(formatReference(parseReference(text)), text);
});

test("orders versions by number and not by letter", () => {
  const sorted = ["1.10.0", "1.9.9", "10.0.0", "2.0.0", "1.10.1"].toSorted(compareVersions);
  assert.deepEqual(sorted, ["1.9.9", "1.10.0", "1.10.1", "2.0.0", "10.0.0"]);
  assert.equal(compareVersions("1.2.3", "1.2.3"), 0);
});
