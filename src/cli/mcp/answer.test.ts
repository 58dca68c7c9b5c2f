import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJson } from "../../core/json.ts";
import { clip } from "./answer.ts";

test("a number that only its digits say is shown as its digits", () => {
  const value = parseJson('{"id":12345678901234567890,"n":[1,1e400]}');
  const limits = { text: 100, items: 9, depth: 3 };
  assert.deepEqual(clip(value, limits), { id: "12345678901234567890", n: [1, "1e400"] });
});
