import assert from "node:assert/strict";
import { test } from "node:test";
import type { Run } from "../core/run.ts";
import { viewRun } from "./run-view.ts";

test("time left is not told while nothing but waits is left", () => {
  const waiting = { rows: 2, until: 3_600_000, row: 3, code: "HTTP_UNAVAILABLE", message: "429" } as const;
  const counts = { total: 10, succeeded: 5, failed: 0, inFlight: 1, pending: 4 };
  const run: Run = { id: "r", status: "running", agent: "a@1.0.0", inputUri: "in.csv", counts, createdAt: 0, waiting };
  assert.equal(viewRun(run, 10_000).secondsLeft, 10);
  assert.equal(viewRun({ ...run, counts: { ...counts, inFlight: 0, pending: 5 } }, 10_000).secondsLeft, undefined);
});
