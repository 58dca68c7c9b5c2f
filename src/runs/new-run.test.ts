import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseRows } from "./new-run.ts";

describe("chooseRows", () => {
  it("takes all rows, a part, or the first of a part", () => {
    assert.deepEqual(chooseRows(10, undefined, undefined), { selection: [[0, 9]], total: 10 });
    assert.deepEqual(
      chooseRows(
        10,
        [
          [1, 2],
          [7, 9],
        ],
        undefined,
      ),
      {
        selection: [
          [1, 2],
          [7, 9],
        ],
        total: 5,
      },
    );
    assert.deepEqual(
      chooseRows(
        10,
        [
          [1, 2],
          [7, 9],
        ],
        3,
      ),
      {
        selection: [
          [1, 2],
          [7, 7],
        ],
        total: 3,
      },
    );
    assert.deepEqual(chooseRows(0, undefined, 5), { selection: [], total: 0 });
  });

  it("says which row is not there", () => {
    assert.throws(() => chooseRows(10, [[9, 12]], undefined), {
      code: "USAGE_INVALID",
      message: "Row 12 is not in the input, which has 10 rows",
    });
  });
});
