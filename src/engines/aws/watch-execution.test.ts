import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "../../../test/asl/virtual-clock.ts";
import { createPace } from "./watch-execution.ts";

const never = new AbortController().signal;

test("the first look is at once, others keep their distance, whoever takes them", async () => {
  const time = createVirtualClock(0);
  const pace = createPace(2000, time.clock, (ms, signal = never) => time.wait(ms, signal));
  const looks: number[] = [];
  const look = async (): Promise<void> => {
    await pace();
    looks.push(time.clock());
  };
  const all = Promise.all([look(), look(), look()]);
  await time.advance(10_000);
  await all;
  await look();
  assert.deepEqual(looks, [0, 2000, 4000, 10_000]);
});

test("who gives up waiting is told so", async () => {
  const time = createVirtualClock(0);
  const pace = createPace(2000, time.clock, (ms, signal = never) => time.wait(ms, signal));
  await pace();
  const given = new AbortController();
  const waiting = pace(given.signal);
  given.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
});
