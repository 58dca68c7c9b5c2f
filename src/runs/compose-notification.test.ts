import assert from "node:assert/strict";
import { test } from "node:test";
import type { FailureCount } from "../core/channel.ts";
import type { Run } from "../core/run.ts";
import { composeNotification, newsOf } from "./compose-notification.ts";

const run: Run = {
  id: "20251018-053000-ab12",
  name: "nightly",
  status: "succeeded",
  agent: "lookup@1.0.0",
  inputUri: "s3://tables/a.csv",
  outputUri: "s3://results/a.csv",
  recordingsUri: "s3://recordings/20251018-053000-ab12",
  counts: { total: 1000, succeeded: 990, failed: 10, inFlight: 0, pending: 0 },
  createdAt: 0,
  endedAt: 245_000,
};

test("says in a few lines what somebody wants to know who was asleep", () => {
  const failures: readonly FailureCount[] = [
    { code: "TIMEOUT", count: 7 },
    { code: "CHOICE_NONE", count: 3 },
  ];
  const { subject, body } = composeNotification("1", "success", run, failures);
  assert.equal(subject, "Rowcall run 20251018-053000-ab12 succeeded: 990 of 1000 rows succeeded");
  assert.equal(
    body,
    `\
Run: 20251018-053000-ab12 (nightly)
Agent: lookup@1.0.0
Status: succeeded
Rows: 1000 in all, 990 succeeded, 10 failed, 0 pending
Failed with: TIMEOUT 7, CHOICE_NONE 3
Took: 4 min 5 s
Output: s3://results/a.csv
Recordings: s3://recordings/20251018-053000-ab12
Failed rows: rowcall rows 20251018-053000-ab12 --status failed`,
  );
});

test("says why a run failed and how it goes on, and nothing of what there is not", () => {
  const { name: _name, outputUri: _output, recordingsUri: _recordings, ...rest } = run;
  const counts = { total: 3, succeeded: 1, failed: 0, inFlight: 0, pending: 2 };
  const { body } = composeNotification("1", "failure", { ...rest, status: "failed", reason: "No disk", counts }, []);
  assert.equal(
    body,
    `\
Run: 20251018-053000-ab12
Agent: lookup@1.0.0
Status: failed, No disk
Rows: 3 in all, 1 succeeded, 0 failed, 2 pending
Took: 4 min 5 s
Output: none
Go on: rowcall resume 20251018-053000-ab12`,
  );
});

test("names the five most frequent codes and counts the others", () => {
  const codes = [
    "TIMEOUT",
    "CHOICE_NONE",
    "ROW_INVALID",
    "HTTP_STATUS",
    "HOST_BLOCKED",
    "STEP_FAILED",
    "NEEDS_HUMAN",
  ] as const;
  const failures = codes.map((code, index) => ({ code, count: 9 - index }));
  const { body } = composeNotification("1", "success", run, failures);
  assert.match(
    body,
    /^Failed with: TIMEOUT 9, CHOICE_NONE 8, ROW_INVALID 7, HTTP_STATUS 6, HOST_BLOCKED 5, others 7$/m,
  );
});

test("a run that is going or was interrupted is no news", () => {
  assert.deepEqual((["succeeded", "failed", "stopped", "running", "interrupted"] as const).map(newsOf), [
    "success",
    "failure",
    "failure",
    undefined,
    undefined,
  ]);
});
