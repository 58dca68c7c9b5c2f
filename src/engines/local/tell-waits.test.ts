import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attempt } from "../../core/attempt.ts";
import { tellWaits } from "./tell-waits.ts";

const failed: Attempt = {
  row: 7,
  number: 1,
  startedAt: 0,
  endedAt: 0,
  outcome: { status: "failed", code: "HTTP_UNAVAILABLE", message: "429 from api.test", retryable: true },
  steps: [],
  artifacts: [],
};

test("what waits is told, with until when and why: not every row of many, and not of short waits", () => {
  const told: string[] = [];
  let now = 0;
  const tell = tellWaits(
    { clock: () => 1_000_000 + now, monotonic: () => now },
    { onEvent: (event) => void (event.type === "notice" && told.push(event.message)) },
  );
  tell(failed, 9_999, 1);
  assert.deepEqual(told, []);
  tell(failed, 300_000, 1);
  now = 29_999;
  tell(failed, 300_000, 2);
  now = 30_000;
  tell(failed, 300_000, 3);
  assert.deepEqual(told, [
    "1 waiting to be tried again, row 7 until 1970-01-01 00:21:40Z after HTTP_UNAVAILABLE: 429 from api.test",
    "3 waiting to be tried again, row 7 until 1970-01-01 00:22:10Z after HTTP_UNAVAILABLE: 429 from api.test",
  ]);
});
