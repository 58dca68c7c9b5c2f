import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseRowSelection } from "./options.ts";

describe("parseRowSelection", () => {
  it("reads numbers and ranges, ends included, in any order", () => {
    assert.deepEqual(parseRowSelection("7-9, 3"), [
      [3, 3],
      [7, 9],
    ]);
  });

  it("merges what overlaps or touches", () => {
    assert.deepEqual(parseRowSelection("1-3,2,4,9,8-10"), [
      [1, 4],
      [8, 10],
    ]);
  });

  it("refuses what is no row", () => {
    for (const text of ["", "a", "1-", "-1", "1,,2", "1.5", "99999999999999999"])
      assert.throws(() => parseRowSelection(text), /neither a row/, text);
    assert.throws(() => parseRowSelection("9-3"), /ends before it begins/);
  });
});
