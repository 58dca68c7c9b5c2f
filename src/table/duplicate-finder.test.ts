import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { createDuplicateFinder } from "./duplicate-finder.ts";

const keyOf = (text: string): Buffer => hash("sha256", text, "buffer");

test("finds what a map of the texts themselves finds", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 5000 }), (numbers) => {
      const finder = createDuplicateFinder();
      const firsts = new Map<number, number>();
      for (const [row, number] of numbers.entries()) {
        assert.equal(finder.note(keyOf(String(number)), row), firsts.get(number));
        if (!firsts.has(number)) firsts.set(number, row);
      }
      assert.ok(finder.isComplete);
    }),
    { numRuns: 20 },
  );
});

test("says that it is not complete once the limit is reached, and still finds what it knows", () => {
  const finder = createDuplicateFinder(2);
  assert.deepEqual(
    ["a", "b", "c", "a", "c"].map((text, row) => finder.note(keyOf(text), row)),
    [undefined, undefined, undefined, 0, undefined],
  );
  assert.equal(finder.isComplete, false);
});
