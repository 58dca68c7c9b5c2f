import assert from "node:assert/strict";
import { test } from "node:test";
import { rateSeries } from "./rate-series.ts";

test("draws attempts per second in the middle of each slice, and the ground where none ended", () => {
  const slices = [
    { at: 10_000, succeeded: 3, failed: 1 },
    { at: 12_000, succeeded: 2, failed: 0 },
    { at: 30_000, succeeded: 1, failed: 0 },
  ];
  assert.deepEqual(rateSeries({ sliceMs: 2000, slices }), {
    at: [11, 13, 15, 29, 31],
    perSecond: [2, 1, 0, 0, 0.5],
  });
});

test("has nothing to draw before an attempt has ended", () => {
  assert.deepEqual(rateSeries({ sliceMs: 1000, slices: [] }), { at: [], perSecond: [] });
});
