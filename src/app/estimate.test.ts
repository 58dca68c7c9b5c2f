import assert from "node:assert/strict";
import { test } from "node:test";
import {
  chooseFigures,
  describeCost,
  describeEstimate,
  describeSeconds,
  estimateRun,
  exampleFigures,
} from "./estimate.ts";

test("reproduces the throughput table of the broadband agent, with 12 seconds per row as well as with 12.5", () => {
  for (const secondsPerRow of [exampleFigures.secondsPerRow, 12]) {
    const lines = exampleFigures.rows.map((rows) => {
      const { seconds, costUsd } = estimateRun(rows, exampleFigures.concurrency, { ...exampleFigures, secondsPerRow });
      return [rows, describeSeconds(seconds), describeCost(costUsd)];
    });
    assert.deepEqual(lines, [
      [10, "~15 seconds", "$0.01"],
      [100, "~2 minutes", "$0.10"],
      [1000, "~20 minutes", "$1.00"],
    ]);
  }
});

test("counts waves: eleven rows at a concurrency of ten take two", () => {
  assert.equal(estimateRun(11, 10, { secondsPerRow: 12, basis: "" }).seconds, 24);
  assert.equal(estimateRun(0, 10, { secondsPerRow: 12, basis: "" }).seconds, 0);
});

test("knows no duration and no price when no figure is known, and says which options give one", () => {
  const { seconds, costUsd, basis } = estimateRun(10, 10, chooseFigures({}));
  assert.deepEqual([seconds, costUsd], [undefined, undefined]);
  assert.equal(
    basis,
    "seconds per row is not known: give --seconds-per-row; cost per row is not known: give --cost-per-row",
  );
  assert.deepEqual([describeSeconds(seconds), describeCost(costUsd)], ["unknown", "unknown"]);
  assert.equal(describeEstimate({ seconds, costUsd }), "duration and cost unknown");
  assert.equal(describeEstimate({ seconds: 90, costUsd }), "~2 minutes, cost unknown");
  assert.equal(describeEstimate({ seconds, costUsd: 0.5 }), "duration unknown, $0.50");
});

test("takes given figures before measured ones, and those before what the agent declares", () => {
  const measured = { secondsPerRow: 3, rows: 40 };
  const declared = { seconds_per_row: 12, cost_per_row_usd: 0.001 };
  assert.equal(
    chooseFigures({ given: { secondsPerRow: 1 }, measured, declared }).basis,
    "1 s per row (given); $0.001 per row (declared by the agent)",
  );
  assert.equal(
    chooseFigures({ measured, declared }).basis,
    "3 s per row (the mean of 40 earlier rows); $0.001 per row (declared by the agent)",
  );
  assert.deepEqual(chooseFigures({ declared }), {
    secondsPerRow: 12,
    costPerRowUsd: 0.001,
    basis: "12 s per row (declared by the agent); $0.001 per row (declared by the agent)",
  });
});

test("says durations and prices as people do", () => {
  assert.deepEqual([0, 0.2, 56, 90, 3600, 5430, 40_000].map(describeSeconds), [
    "no time",
    "~5 seconds",
    "~1 minute",
    "~2 minutes",
    "~1 hour",
    "~1 hour 30 minutes",
    "~11 hours",
  ]);
  assert.deepEqual([0, 0.0012345, 12.345].map(describeCost), ["$0.00", "$0.0012", "$12.35"]);
});
