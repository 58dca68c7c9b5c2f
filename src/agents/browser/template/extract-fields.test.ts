import assert from "node:assert/strict";
import { test } from "node:test";
import { readField } from "./extract-fields.ts";

const read = (text: string): unknown =>
  readField("id", { type: "number", required: true }, { found: "text", text }, {});

test("reads a number with thousands and a sign", () => {
  assert.equal(read("1,234.5"), 1234.5);
  assert.equal(read("-9 007 199 254 740 991"), Number.MIN_SAFE_INTEGER);
});

test("a number with more figures than one holds fails the row rather than come out as another", () => {
  for (const text of ["12345678901234567890", "-9,007,199,254,740,993", "12345678901234567.5"]) {
    assert.throws(() => read(text), {
      code: "PAGE_UNEXPECTED",
      message: `"id" has more figures than a number holds: "${text}"`,
      hint: 'Read it as text: leave "type": "number" out.',
    });
  }
});
