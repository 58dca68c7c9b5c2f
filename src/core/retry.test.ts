import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { FailedOutcome } from "./attempt.ts";
import { retryDelayMs, shouldRetry, type RetryPolicy } from "./retry.ts";

const policy: RetryPolicy = {
  maxAttempts: 2,
  intervalSeconds: 5,
  backoffRate: 2,
  maxDelaySeconds: 60,
  jitterStrategy: "NONE",
  doNotRetryOn: [],
};

function failed(over: Partial<FailedOutcome> = {}): FailedOutcome {
  return { status: "failed", code: "AGENT_FAILED", message: "no", retryable: true, ...over };
}

test("max_attempts counts retries: 2 means at most three attempts", () => {
  assert.deepEqual(
    [1, 2, 3].map((attempt) => shouldRetry(policy, failed(), attempt)),
    [true, true, false],
  );
  assert.equal(shouldRetry({ ...policy, maxAttempts: 0 }, failed(), 1), false);
});

test("does not retry what no other attempt can mend", () => {
  assert.equal(shouldRetry(policy, failed({ code: "ROW_INVALID", retryable: false }), 1), false);
});

test("retry_on names the only codes that are retried", () => {
  const only = { ...policy, retryOn: ["HTTP_STATUS"] as const };
  assert.equal(shouldRetry(only, failed({ code: "HTTP_STATUS", retryable: false }), 1), true);
  assert.equal(shouldRetry(only, failed(), 1), false);
});

test("do_not_retry_on wins over retry_on", () => {
  const both = { ...policy, retryOn: ["TIMEOUT"] as const, doNotRetryOn: ["TIMEOUT"] as const };
  assert.equal(shouldRetry(both, failed({ code: "TIMEOUT" }), 1), false);
});

test("doubles the wait after each failed attempt, up to the cap", () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6].map((attempt) => retryDelayMs(policy, attempt, () => 0.5)),
    [5000, 10_000, 20_000, 40_000, 60_000, 60_000],
  );
});

test("full jitter draws the wait evenly between zero and the computed one", () => {
  const jittered = { ...policy, jitterStrategy: "FULL" } as const;
  assert.equal(
    retryDelayMs(jittered, 2, () => 0),
    0,
  );
  assert.equal(
    retryDelayMs(jittered, 2, () => 0.25),
    2500,
  );
  assert.equal(
    retryDelayMs(jittered, 2, () => 0.999),
    9990,
  );
});

test("waits at least as long as the other side asked for, up to the cap", () => {
  assert.equal(
    retryDelayMs(policy, 1, () => 0, 7000),
    7000,
  );
  assert.equal(
    retryDelayMs(policy, 1, () => 0, 3000),
    5000,
  );
  assert.equal(
    retryDelayMs(policy, 1, () => 0, 90_000),
    60_000,
  );
});

test("answers with a whole number between zero and the cap for every policy", () => {
  const policies = fc.record({
    intervalSeconds: fc.double({ min: 0, max: 1e6, noNaN: true }),
    backoffRate: fc.double({ min: 1, max: 1e9, noNaN: true }),
    maxDelaySeconds: fc.double({ min: 0, max: 1e6, noNaN: true }),
    jitterStrategy: fc.constantFrom("FULL" as const, "NONE" as const),
  });
  fc.assert(
    fc.property(
      policies,
      fc.integer({ min: 1, max: 101 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.double({ min: 0, max: 1e12, noNaN: true }),
      (given, attempt, random, asked) => {
        const delay = retryDelayMs({ ...policy, ...given }, attempt, () => random, asked);
        assert.ok(
          Number.isInteger(delay) && delay >= 0 && delay <= Math.round(given.maxDelaySeconds * 1000),
          String(delay),
        );
      },
    ),
    { examples: [[{ intervalSeconds: 0, backoffRate: 1e9, maxDelaySeconds: 1, jitterStrategy: "NONE" }, 101, 0, 0]] },
  );
});
