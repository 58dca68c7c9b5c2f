import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { exceeds } from "./tolerance.ts";

const none = { count: undefined, percentage: undefined };

for (const [what, tolerance, failed, total, expected] of [
  ["no limit lets nothing fail", none, 1, 100, true],
  ["no limit lets all succeed", none, 0, 100, false],
  ["a count lets as many fail", { ...none, count: 2 }, 2, 3, false],
  ["a count lets no more fail", { ...none, count: 2 }, 3, 3, true],
  ["a percentage lets just its share fail", { ...none, percentage: 10 }, 1, 10, false],
  ["a percentage lets no more than its share fail", { ...none, percentage: 10 }, 2, 10, true],
  ["a percentage of less than one item lets none fail", { ...none, percentage: 9.9 }, 1, 10, true],
  ["100 percent lets all fail", { ...none, percentage: 100 }, 10, 10, false],
  ["0 percent lets none fail", { ...none, percentage: 0 }, 1, 10, true],
  ["either limit is enough", { count: 1, percentage: 100 }, 2, 10, true],
  ["either limit is enough, the other way round", { count: 100, percentage: 10 }, 2, 10, true],
] as const)
  test(what, () => assert.equal(exceeds(tolerance, failed, total), expected));

test("a whole percentage is never missed by a rounding error", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 0, max: 100 }), (hundreds, percentage) => {
      const limit = { count: undefined, percentage };
      assert.equal(exceeds(limit, hundreds * percentage, hundreds * 100), false);
      assert.equal(exceeds(limit, hundreds * percentage + 1, hundreds * 100), true);
    }),
  );
});
