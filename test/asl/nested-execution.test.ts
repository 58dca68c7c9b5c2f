import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../src/core/json.ts";
import { machineOf, testInterpreter } from "./test-interpreter.ts";

const arn = "arn:aws:states:eu-west-1:123456789012:stateMachine:child";

function parent(fields: JsonObject = {}, more: JsonObject = {}): JsonObject {
  return machineOf({
    Run: {
      Type: "Task",
      Resource: "arn:aws:states:::states:startExecution.sync:2",
      Arguments: { StateMachineArn: arn, Input: "{% $states.input %}", Name: "child-1", ...more },
      ...fields,
    },
  });
}

test("gives the other machine's execution, with input and output parsed", async (context) => {
  const child = machineOf({
    Wait: { Type: "Wait", Seconds: 5 },
    Double: { Type: "Pass", Output: "{% $states.input.n * 2 %}" },
  });
  const { run, types } = testInterpreter(context, { child, parent: parent() });
  const { output, executionArn, startDate, stopDate } = await run("parent", { n: 4 });
  assert.deepEqual(JSON.parse(output ?? ""), {
    ExecutionArn: "arn:aws:states:eu-west-1:123456789012:execution:child:child-1",
    Input: { n: 4 },
    InputDetails: { Included: true },
    Name: "child-1",
    Output: 8,
    OutputDetails: { Included: true },
    StartDate: startDate.getTime(),
    StateMachineArn: arn,
    Status: "SUCCEEDED",
    StopDate: stopDate?.getTime(),
  });
  assert.deepEqual(types(executionArn).slice(1, -1), [
    "TaskStateEntered",
    "TaskScheduled",
    "TaskStarted",
    "TaskSubmitted",
    "TaskSucceeded",
    "TaskStateExited",
  ]);
});

test("a failure of the other machine is States.TaskFailed with all about it", async (context) => {
  const child = machineOf({ Wrong: { Type: "Fail", Error: "E", Cause: "why" } });
  const { run } = testInterpreter(context, { child, parent: parent() });
  const { error, cause } = await run("parent", { n: 4 });
  assert.equal(error, "States.TaskFailed");
  const { Error: name, Cause, Status, Input } = JSON.parse(cause ?? "") as Record<string, unknown>;
  assert.deepEqual([name, Cause, Status, Input], ["E", "why", "FAILED", '{"n":4}']);
});

test("a name that is taken, or is none, is an error of Step Functions", async (context) => {
  const child = machineOf({ Done: { Type: "Succeed" } });
  const { run } = testInterpreter(context, { child, parent: parent(), odd: parent({}, { Name: "{% 'a b' %}" }) });
  assert.equal((await run("parent")).status, "SUCCEEDED");
  assert.equal((await run("parent")).error, "StepFunctions.ExecutionAlreadyExistsException");
  assert.equal((await run("odd")).error, "StepFunctions.InvalidNameException");
});

for (const [what, ending] of [
  ["stopped", { seconds: 1, stop: true }],
  ["timed out", { seconds: 30, stop: false }],
] as const)
  test(`the other machine's execution ends with a parent that is ${what}`, async (context) => {
    const child = machineOf({ Wait: { Type: "Wait", Seconds: 60 } });
    const { start, time, stopExecution, listExecutions, finished } = testInterpreter(context, {
      child,
      parent: parent({ TimeoutSeconds: 30 }),
    });
    const executionArn = start("parent");
    await time.advance(ending.seconds * 1000);
    if (ending.stop) stopExecution(executionArn);
    await finished(executionArn);
    assert.deepEqual(
      listExecutions({ stateMachineArn: arn }).map(({ status }) => status),
      ["ABORTED"],
    );
  });
