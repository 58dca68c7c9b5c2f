import assert from "node:assert/strict";
import { test } from "node:test";
import { toleratedRows } from "./staged-run.ts";

test("without limits every row may fail, also of a table without rows", () => {
  assert.equal(toleratedRows({}, 10, { rows: 8, refused: 2 }), 8);
  assert.equal(toleratedRows({}, 0, { rows: 0, refused: 0 }), 0);
});

test("rows that were refused before count as failed", () => {
  assert.equal(toleratedRows({ toleratedFailureCount: 3 }, 10, { rows: 8, refused: 2 }), 1);
  assert.equal(toleratedRows({ toleratedFailureCount: 1 }, 10, { rows: 8, refused: 2 }), 0);
});

test("a share is one of all rows, and the smaller limit counts", () => {
  assert.equal(toleratedRows({ toleratedFailurePercentage: 25 }, 10, { rows: 10, refused: 0 }), 2);
  const both = { toleratedFailurePercentage: 25, toleratedFailureCount: 1 };
  assert.equal(toleratedRows(both, 10, { rows: 10, refused: 0 }), 1);
});
