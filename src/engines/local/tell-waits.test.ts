import assert from "node:assert/strict";
import { test } from "node:test";
import type { WaitingRows } from "../../core/run.ts";
import { tellWaits } from "./tell-waits.ts";

test("what waits is told, with until when and why: not every row of many, and not of short waits", () => {
  const told: string[] = [];
  let now = 0;
  let waiting: WaitingRows | undefined;
  const wait = (rows: number, waitMs: number): WaitingRows => ({
    rows,
    until: 1_000_000 + now + waitMs,
    row: 7,
    code: "HTTP_UNAVAILABLE",
    message: "429 from api.test",
  });
  const tell = tellWaits({ clock: () => 1_000_000 + now, monotonic: () => now }, () => waiting, {
    onEvent: (event) => void (event.type === "notice" && told.push(event.message)),
  });
  tell();
  waiting = wait(1, 9_999);
  tell();
  assert.deepEqual(told, []);
  waiting = wait(1, 300_000);
  tell();
  now = 29_999;
  waiting = wait(2, 300_000);
  tell();
  now = 30_000;
  waiting = wait(3, 300_000);
  tell();
  assert.deepEqual(told, [
    "1 waiting to be tried again, row 7 until 1970-01-01 00:21:40Z after HTTP_UNAVAILABLE: 429 from api.test",
    "3 waiting to be tried again, row 7 until 1970-01-01 00:22:10Z after HTTP_UNAVAILABLE: 429 from api.test",
  ]);
});
