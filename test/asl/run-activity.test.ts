import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { JsonObject } from "../../src/core/json.ts";
import { openActivityQueue } from "../../src/runs/activity-queue.ts";
import { machineOf, testInterpreter } from "./test-interpreter.ts";
import { createVirtualClock } from "./virtual-clock.ts";

const never = new AbortController().signal;

const resource = "arn:aws:states:eu-west-1:123456789012:activity:lookup";

async function taken(context: TestContext, fields: JsonObject = {}) {
  const time = createVirtualClock();
  const activities = openActivityQueue(":memory:", time);
  activities.createActivity("lookup");
  const machine = machineOf({
    Ask: { Type: "Task", Resource: resource, Arguments: { q: "{% $states.input %}" }, ...fields, End: true },
    ...("Catch" in fields ? { Caught: { Type: "Succeed" } } : {}),
  });
  const interpreter = testInterpreter(context, { machine }, { activities, time });
  context.after(() => activities.close());
  const arn = interpreter.start("machine", 42);
  const task = await activities.take("lookup", "w1", never);
  assert.equal(task?.input, '{"q":42}');
  return { ...interpreter, activities, arn, token: task?.token ?? "" };
}

test("a worker's answer is the result", async (context) => {
  const { activities, token, finished, arn, history } = await taken(context);
  activities.succeed(token, "[1]");
  assert.equal((await finished(arn)).output, "[1]");
  assert.deepEqual(
    history(arn)
      .slice(2, 5)
      .map(({ type }) => type),
    ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"],
  );
});

for (const name of ["States.Timeout", "States.HeartbeatTimeout"])
  test(`a worker that falls silent is caught as ${name}`, async (context) => {
    const catcher = { ErrorEquals: [name], Next: "Caught" };
    const { time, finished, arn, types } = await taken(context, {
      HeartbeatSeconds: 10,
      TimeoutSeconds: 60,
      Catch: [catcher],
    });
    await time.advance(10_000);
    assert.equal((await finished(arn)).output, '{"Error":"States.Timeout"}');
    assert.ok(types(arn).includes("ActivityTimedOut"));
  });

test("a worker that works too long is not caught as silent", async (context) => {
  const catcher = { ErrorEquals: ["States.HeartbeatTimeout"], Next: "Caught" };
  const { time, finished, arn, activities, token } = await taken(context, {
    HeartbeatSeconds: 10,
    TimeoutSeconds: 15,
    Catch: [catcher],
  });
  await time.advance(9_000);
  activities.heartbeat(token);
  await time.advance(6_000);
  assert.equal((await finished(arn)).error, "States.Timeout");
});

test("a task is taken back when its execution is stopped", async (context) => {
  const { stopExecution, arn, finished, activities, token } = await taken(context);
  stopExecution(arn);
  await finished(arn);
  assert.equal(activities.succeed(token, "1"), "unknown");
});
