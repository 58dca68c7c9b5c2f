import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { unlessAborted, within } from "./within.ts";

const never = new Promise<never>(() => {});

test("what is done in time settles as it would", async () => {
  assert.equal(await within(Promise.resolve(1), 60_000), 1);
  await assert.rejects(within(Promise.reject(new Error("no")), 60_000), /no/);
});

test("what takes longer than its limit is late", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const short = assert.rejects(within(never, 300), { message: "It took longer than 0.3 s" });
  const long = assert.rejects(within(never, 2500), { name: "LateError" });
  t.mock.timers.tick(300);
  await short;
  for (let step = 0; step < 3; step += 1) t.mock.timers.tick(1000);
  await long;
});

test("a process that was stopped gives the other side its time again", async (t) => {
  const steps: (() => void)[] = [];
  t.mock.method(globalThis, "setInterval", (step: () => void) => steps.push(step));
  t.mock.method(globalThis, "clearInterval", mock.fn());
  const answer = Promise.withResolvers<string>();
  const waited = within(answer.promise, 30_000);
  // However long it was stopped, its timer fires once when it goes on.
  steps[0]?.();
  answer.resolve("in time");
  assert.equal(await waited, "in time");
});

test("a signal ends the wait with its reason, before or meanwhile", async () => {
  const first = new AbortController();
  const second = new AbortController();
  const waiting = unlessAborted(never, first.signal, second.signal);
  second.abort(new Error("gone"));
  await assert.rejects(waiting, /gone/);
  await assert.rejects(unlessAborted(Promise.reject(new Error("work")), first.signal, second.signal), /gone/);
  assert.equal(await unlessAborted(Promise.resolve(2), first.signal), 2);
  await assert.rejects(unlessAborted(Promise.reject(new Error("work")), first.signal), /work/);
});
