import assert from "node:assert/strict";
import { test } from "node:test";
import { machineOf, testInterpreter } from "./test-interpreter.ts";
import { runToEnd } from "./run-to-end.ts";
import { createVirtualClock } from "./virtual-clock.ts";

const never = new AbortController().signal;

test("waits end in the order they are due, and what follows from one happens before the next", async () => {
  const { clock, wait, advance, nextMs } = createVirtualClock(0);
  const seen: [string, number][] = [];
  const sleep = async (name: string, ...times: readonly number[]) => {
    for (const ms of times) {
      await wait(ms, never);
      seen.push([name, clock()]);
    }
  };
  const all = [sleep("a", 30), sleep("b", 10, 10, 10), sleep("c", 25)];
  assert.equal(nextMs(), 10);
  await advance(25);
  assert.deepEqual(seen, [
    ["b", 10],
    ["b", 20],
    ["c", 25],
  ]);
  await advance(5);
  await Promise.all(all);
  assert.equal(clock(), 30);
  assert.equal(nextMs(), undefined);
});

test("a wait that is given up is rejected with the reason", async () => {
  const { wait, nextMs } = createVirtualClock();
  const controller = new AbortController();
  const waiting = wait(10, controller.signal);
  controller.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  await assert.rejects(wait(10, controller.signal), /enough/);
  assert.equal(nextMs(), undefined);
});

test("time does not jump while a function is at work", async (context) => {
  const machine = machineOf({
    Call: {
      Type: "Task",
      Resource: "arn:aws:states:::lambda:invoke",
      Arguments: { FunctionName: "work" },
      TimeoutSeconds: 1,
    },
  });
  const work = () => new Promise<number>((resolve) => setImmediate(() => setImmediate(() => resolve(1))));
  const { run } = testInterpreter(context, { machine }, { lambdas: { work } });
  const { status, startDate, stopDate } = await run("machine");
  assert.equal(status, "SUCCEEDED");
  assert.deepEqual(stopDate, startDate);
});

test("an execution that waits for what does not come is said so", async (context) => {
  const time = createVirtualClock();
  const wait = () => new Promise<void>(() => undefined);
  const machine = machineOf({ Wait: { Type: "Wait", Seconds: 1 } });
  const interpreter = testInterpreter(context, { machine }, { wait });
  await assert.rejects(
    runToEnd(interpreter, time, interpreter.start("machine")),
    /waits for something that does not come/,
  );
});
