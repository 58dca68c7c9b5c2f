import assert from "node:assert/strict";
import { test } from "node:test";
import { rowAndLine } from "./row.ts";

test("a row is named with the line of the input that it begins on, where that is known", () => {
  assert.equal(rowAndLine(24, 27), "24 (line 27)");
  assert.equal(rowAndLine(24, undefined), "24");
});
