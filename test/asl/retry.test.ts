import assert from "node:assert/strict";
import { test } from "node:test";
import type { Retrier } from "./definition.ts";
import { findCatcher, nextTry, takes, type RetryCounts } from "./retry.ts";
import { StateFailure } from "./state-failure.ts";

const failure = new StateFailure("E", "cause");

const times = (length: number): StateFailure[] => Array.from({ length }, () => failure);

function delays(retriers: readonly Retrier[], failures: readonly StateFailure[], random = () => 0.5): unknown[] {
  const counts: RetryCounts = new Map();
  return failures.map((each) => nextTry(retriers, each, counts, random));
}

test("tries three times unless told otherwise, and waits 1, 2 and 4 seconds", () => {
  assert.deepEqual(delays([{ ErrorEquals: ["E"] }], times(4)), [1000, 2000, 4000, undefined]);
});

test("grows the wait by the rate, up to the longest", () => {
  const retrier = { ErrorEquals: ["E"], IntervalSeconds: 3, BackoffRate: 1.5, MaxAttempts: 4, MaxDelaySeconds: 7 };
  assert.deepEqual(delays([retrier], times(5)), [3000, 4500, 6750, 7000, undefined]);
});

test("draws the wait evenly with full jitter", () => {
  const retrier = { ErrorEquals: ["E"], IntervalSeconds: 4, JitterStrategy: "FULL" } as const;
  assert.deepEqual(
    delays([retrier], times(2), () => 0.25),
    [1000, 2000],
  );
});

test("does not try again with 0 attempts", () => {
  assert.deepEqual(delays([{ ErrorEquals: ["E"], MaxAttempts: 0 }], [failure]), [undefined]);
});

test("counts each retrier by itself", () => {
  const retriers = [
    { ErrorEquals: ["E"], MaxAttempts: 1 },
    { ErrorEquals: ["States.ALL"], IntervalSeconds: 9, MaxAttempts: 1 },
  ];
  const other = new StateFailure("F");
  assert.deepEqual(delays(retriers, [failure, other, failure]), [1000, 9000, undefined]);
});

for (const [name, error, alias, taken] of [
  ["States.ALL", "E", undefined, true],
  ["States.ALL", undefined, undefined, true],
  ["States.ALL", "States.Timeout", undefined, true],
  ["States.ALL", "States.DataLimitExceeded", undefined, false],
  ["States.ALL", "States.Runtime", undefined, false],
  ["States.Runtime", "States.Runtime", undefined, false],
  ["States.DataLimitExceeded", "States.DataLimitExceeded", undefined, true],
  ["States.TaskFailed", "E", undefined, true],
  ["States.TaskFailed", "States.Timeout", undefined, false],
  ["States.TaskFailed", "States.DataLimitExceeded", undefined, false],
  ["States.HeartbeatTimeout", "States.Timeout", "States.HeartbeatTimeout", true],
  ["States.HeartbeatTimeout", "States.Timeout", undefined, false],
  ["E", "F", undefined, false],
] as const)
  test(`${name} ${taken ? "takes" : "does not take"} ${error ?? "a failure without a name"}${alias === undefined ? "" : " of a heartbeat"}`, () =>
    assert.equal(takes([name], new StateFailure(error, undefined, alias)), taken));

test("the first catcher that takes a failure has it", () => {
  const catchers = ["F", "E", "States.ALL"].map((name) => ({ ErrorEquals: [name], Next: name }));
  assert.equal(findCatcher(catchers, failure)?.index, 1);
  assert.equal(findCatcher(catchers.slice(0, 1), failure), undefined);
});
