import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../src/core/json.ts";
import { historyLimit } from "./history.ts";
import { tooManyRequests } from "./integrations/lambda.ts";
import { createInterpreter } from "./interpreter.ts";
import { payloadBytes } from "./payload.ts";
import { machineOf, sequenceOf, testInterpreter } from "./test-interpreter.ts";
import { StateFailure, UnsupportedError } from "./state-failure.ts";
import { createVirtualClock } from "./virtual-clock.ts";

const call: JsonObject = {
  Type: "Task",
  Resource: "arn:aws:states:::lambda:invoke",
  Arguments: { FunctionName: "work", Payload: "{% $states.input %}" },
};
const wait = machineOf({ Wait: { Type: "Wait", Seconds: 60 } });

test("waits take no time but the clock's", async (context) => {
  const { run } = testInterpreter(context, { wait });
  const { startDate, stopDate, status } = await run("wait");
  assert.equal(status, "SUCCEEDED");
  assert.equal((stopDate?.getTime() ?? 0) - startDate.getTime(), 60_000);
});

test("an execution ends when its machine's time is over", async (context) => {
  const { run, types } = testInterpreter(context, { wait: { ...wait, TimeoutSeconds: 30 } });
  const { status, executionArn, startDate, stopDate } = await run("wait");
  assert.equal(status, "TIMED_OUT");
  assert.equal((stopDate?.getTime() ?? 0) - startDate.getTime(), 30_000);
  assert.deepEqual(types(executionArn), ["ExecutionStarted", "WaitStateEntered", "ExecutionTimedOut"]);
});

test("the same name and input is the same execution while it runs, and no other may have the name", async (context) => {
  const { start, time, finished } = testInterpreter(context, { wait });
  const arn = start("wait", { a: 1 }, "run-1");
  assert.equal(start("wait", { a: 1 }, "run-1"), arn);
  assert.throws(() => start("wait", { a: 2 }, "run-1"), { name: "ExecutionAlreadyExists" });
  await time.advance(60_000);
  assert.equal((await finished(arn)).status, "SUCCEEDED");
  assert.throws(() => start("wait", { a: 1 }, "run-1"), { name: "ExecutionAlreadyExists" });
});

test("names have 80 letters at most, and none that AWS does not take", (context) => {
  const { start } = testInterpreter(context, { wait });
  start("wait", {}, "n".repeat(80));
  for (const name of ["", "n".repeat(81), "a b", "a:b", "a/b", 'a"b', "a\u0000b"])
    assert.throws(() => start("wait", {}, name), { name: "InvalidName" });
});

test("an input is JSON of 256 KiB at most", (context) => {
  const { startExecution, arnOf } = testInterpreter(context, { wait });
  const begin = (input: string) => startExecution({ stateMachineArn: arnOf("wait"), input });
  begin(JSON.stringify("x".repeat(payloadBytes - 2)));
  assert.throws(() => begin(JSON.stringify("x".repeat(payloadBytes - 1))), { name: "ValidationException" });
  assert.throws(() => begin("{'a': 1}"), { name: "InvalidExecutionInput" });
});

test("stops an execution with what is said of it", async (context) => {
  const { start, stopExecution, describeExecution, types, history } = testInterpreter(context, { wait });
  const arn = start("wait");
  stopExecution(arn, "Cancelled", "by hand");
  stopExecution(arn, "Again");
  const { status, error, cause } = describeExecution(arn);
  assert.deepEqual({ status, error, cause }, { status: "ABORTED", error: "Cancelled", cause: "by hand" });
  assert.deepEqual(types(arn), ["ExecutionStarted", "WaitStateEntered", "ExecutionAborted"]);
  assert.deepEqual(history(arn).at(-1)?.["executionAbortedEventDetails"], { error: "Cancelled", cause: "by hand" });
});

test("a state's output may have 256 KiB, to the byte of UTF-8", async (context) => {
  const output = (text: string) =>
    machineOf({ Say: { Type: "Pass", Output: `{% $pad('', $states.input, '${text}') %}` } });
  const { run } = testInterpreter(context, { narrow: output("x"), wide: output("ü") });
  assert.equal((await run("narrow", payloadBytes - 2)).status, "SUCCEEDED");
  assert.equal((await run("wide", (payloadBytes - 2) / 2)).status, "SUCCEEDED");
  for (const { error, cause } of [await run("narrow", payloadBytes - 1), await run("wide", payloadBytes / 2)]) {
    assert.equal(error, "States.DataLimitExceeded");
    assert.match(cause ?? "", /^The state\/task 'Say' returned a result with a size exceeding/);
  }
});

test("a task's result of more than 256 KiB fails the task, which States.ALL does not take", async (context) => {
  const caught = (name: string) =>
    machineOf({
      Call: { ...call, Catch: [{ ErrorEquals: [name], Next: "Caught" }], Output: 1, End: true },
      Caught: { Type: "Pass", Output: "caught" },
    });
  const { run, types } = testInterpreter(
    context,
    { all: caught("States.ALL"), limit: caught("States.DataLimitExceeded") },
    { lambdas: { work: () => "x".repeat(payloadBytes) } },
  );
  const { error, executionArn } = await run("all");
  assert.equal(error, "States.DataLimitExceeded");
  assert.ok(types(executionArn).includes("TaskFailed"));
  assert.equal((await run("limit")).output, '"caught"');
});

test("a history ends with its 25,000th event", async (context) => {
  const round = machineOf({ Round: { Type: "Pass", Next: "Round" } });
  const { run, history } = testInterpreter(context, { round });
  const { status, error, executionArn } = await run("round");
  assert.deepEqual([status, error], ["FAILED", "States.Runtime"]);
  assert.equal(history(executionArn).length, historyLimit);
  assert.equal(history(executionArn).at(-1)?.type, "ExecutionFailed");
});

test("Assign and Output see the variables from before the state", async (context) => {
  const swap = machineOf({
    Set: { Type: "Pass", Assign: { a: 1, b: 2 } },
    Swap: { Type: "Pass", Assign: { a: "{% $b %}", b: "{% $a %}" }, Output: ["{% $a %}", "{% $b %}"] },
    Show: { Type: "Pass", Output: ["{% $states.input %}", "{% $a %}", "{% $b %}"] },
  });
  const { run } = testInterpreter(context, { swap });
  assert.equal((await run("swap")).output, "[[1,2],2,1]");
});

test("branches and iterations read the variables around them, and keep their own", async (context) => {
  const inner = sequenceOf({
    Own: { Type: "Pass", Assign: { own: "{% $outer + 1 %}" } },
    Show: { Type: "Pass", Output: "{% [$outer, $own] %}" },
  });
  const machine = machineOf({
    Set: { Type: "Pass", Assign: { outer: 1 } },
    Both: { Type: "Parallel", Branches: [inner] },
    After: { Type: "Pass", Output: { inside: "{% $states.input %}", own: "{% $exists($own) %}" } },
  });
  const { run } = testInterpreter(context, { machine });
  assert.equal((await run("machine")).output, '{"inside":[[1,2]],"own":false}');
});

test("children of a distributed map read no variable of their parent", async (context) => {
  const machine = machineOf({
    Set: { Type: "Pass", Assign: { outer: 1 } },
    Rows: {
      Type: "Map",
      Items: ["{% $outer %}"],
      ToleratedFailurePercentage: 100,
      ItemProcessor: {
        ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
        ...sequenceOf({ Show: { Type: "Pass", Output: "{% $exists($outer) %}" } }),
      },
    },
  });
  const { run } = testInterpreter(context, { machine });
  assert.equal((await run("machine")).output, "[false]");
});

test("a field of the wrong type fails the state, and can be caught", async (context) => {
  const machine = machineOf({
    Call: {
      ...call,
      TimeoutSeconds: "{% 'soon' %}",
      Catch: [{ ErrorEquals: ["States.QueryEvaluationError"], Output: "{% $states.errorOutput.Cause %}", Next: "End" }],
      End: true,
    },
    End: { Type: "Succeed" },
  });
  const { run, types } = testInterpreter(context, { machine }, { lambdas: { work: () => 1 } });
  const { output, executionArn } = await run("machine");
  assert.equal(
    JSON.parse(output ?? ""),
    "An error occurred while executing the state 'Call' (entered at the event id #2). The JSONata expression ''soon'' specified for the field 'TimeoutSeconds' returned an unexpected result type. Expected 'integer', but was 'string' for value: \"soon\"",
  );
  assert.deepEqual(types(executionArn).slice(1, 4), ["TaskStateEntered", "EvaluationFailed", "TaskStateExited"]);
});

test("an Output that fails has the task done again, if Retry says so", async (context) => {
  const machine = machineOf({
    Call: {
      ...call,
      Output: "{% $states.result.Payload.ready %}",
      Retry: [{ ErrorEquals: ["States.QueryEvaluationError"], IntervalSeconds: 10 }],
    },
  });
  let calls = 0;
  const work = () => ((calls += 1) === 3 ? { ready: true } : {});
  const { run } = testInterpreter(context, { machine }, { lambdas: { work } });
  const { output, startDate, stopDate } = await run("machine");
  assert.equal(output, "true");
  assert.equal((stopDate?.getTime() ?? 0) - startDate.getTime(), 30_000);
});

test("a catcher that fails fails the execution, whatever other catchers say", async (context) => {
  const machine = machineOf({
    Call: {
      ...call,
      Catch: [
        { ErrorEquals: ["Boom"], Output: "{% $states.errorOutput.Nothing %}", Next: "End" },
        { ErrorEquals: ["States.ALL"], Next: "End" },
      ],
      End: true,
    },
    End: { Type: "Succeed" },
  });
  const work = () => {
    throw Object.assign(new Error("bang"), { name: "Boom" });
  };
  const { run } = testInterpreter(context, { machine }, { lambdas: { work } });
  const { error, cause } = await run("machine");
  assert.equal(error, "States.QueryEvaluationError");
  assert.match(cause ?? "", /for the field 'Catch\[0\]\/Output' returned nothing/);
});

test("what a function throws is an error by its name", async (context) => {
  const machine = machineOf({ Call: call });
  const work = () => {
    throw new TypeError("bang");
  };
  const { run } = testInterpreter(context, { machine }, { lambdas: { work } });
  const { error, cause } = await run("machine");
  assert.equal(error, "TypeError");
  const { errorType, errorMessage, trace } = JSON.parse(cause ?? "") as Record<string, unknown>;
  assert.deepEqual([errorType, errorMessage], ["TypeError", "bang"]);
  assert.ok(Array.isArray(trace));
});

test("Lambda's own refusals have Lambda's names", async (context) => {
  const machine = machineOf({ Call: { ...call, Retry: [{ ErrorEquals: ["Lambda.TooManyRequestsException"] }] } });
  let calls = 0;
  const work = () => {
    calls += 1;
    if (calls < 3) throw tooManyRequests();
    return calls;
  };
  const { run } = testInterpreter(context, { machine }, { lambdas: { work } });
  assert.match((await run("machine")).output ?? "", /"Payload":3/);
  const nowhere = testInterpreter(context, { machine });
  assert.equal((await nowhere.run("machine")).error, "Lambda.ResourceNotFoundException");
});

test("a handler may say what Step Functions itself says", async (context) => {
  const machine = machineOf({
    Call: { ...call, Catch: [{ ErrorEquals: ["States.Permissions"], Next: "End" }], End: true },
    End: { Type: "Succeed" },
  });
  const work = () => {
    throw new StateFailure("States.Permissions", "not allowed");
  };
  const { run } = testInterpreter(context, { machine }, { lambdas: { work } });
  assert.equal((await run("machine")).output, '{"Error":"States.Permissions","Cause":"not allowed"}');
});

test("a task that takes too long times out, and its late answer is nothing", async (context) => {
  const machine = machineOf({ Call: { ...call, TimeoutSeconds: 5 } });
  const answer = Promise.withResolvers<number>();
  const { start, time, finished, types } = testInterpreter(
    context,
    { machine },
    { lambdas: { work: () => answer.promise } },
  );
  const arn = start("machine");
  await time.advance(4_999);
  assert.equal(types(arn).at(-1), "TaskStarted");
  await time.advance(1);
  assert.equal((await finished(arn)).error, "States.Timeout");
  answer.resolve(1);
  await time.advance(1);
  assert.deepEqual(types(arn).slice(-2), ["TaskTimedOut", "ExecutionFailed"]);
});

test("a Parallel state's first failure ends its other branches", async (context) => {
  const machine = machineOf({
    Both: {
      Type: "Parallel",
      Branches: [
        sequenceOf({ Long: { Type: "Wait", Seconds: 60 } }),
        sequenceOf({ Wrong: { Type: "Fail", Error: "E" } }),
      ],
    },
  });
  const { run, types } = testInterpreter(context, { machine });
  const { error, executionArn, startDate, stopDate } = await run("machine");
  assert.equal(error, "E");
  assert.deepEqual(stopDate, startDate);
  assert.deepEqual(types(executionArn).slice(-3), ["WaitStateAborted", "ParallelStateFailed", "ExecutionFailed"]);
});

test("a Choice state without a rule that holds and a default fails", async (context) => {
  const machine = machineOf({
    Which: { Type: "Choice", Choices: [{ Condition: "{% $states.input.ok %}", Next: "End" }] },
    End: { Type: "Succeed" },
  });
  const { run } = testInterpreter(context, { machine });
  assert.equal((await run("machine", { ok: true })).status, "SUCCEEDED");
  assert.equal((await run("machine", { ok: false })).error, "States.Runtime");
  const { error, cause } = await run("machine", { ok: 1 });
  assert.equal(error, "States.QueryEvaluationError");
  assert.match(
    cause ?? "",
    /'Choices\[0\]\/Condition' returned an unexpected result type. Expected 'boolean', but was 'number'/,
  );
});

test("an argument that comes out of an expression and is not known is no failure of the state, but of the test", async (context) => {
  const machine = machineOf({
    Call: {
      ...call,
      Arguments: "{% {'FunctionName': 'work', 'Qualifier': 'q'} %}",
      Catch: [{ ErrorEquals: ["States.ALL"], Next: "End" }],
      End: true,
    },
    End: { Type: "Succeed" },
  });
  const { run } = testInterpreter(context, { machine });
  await assert.rejects(run("machine"), UnsupportedError);
});

test("refuses a machine at once", () => {
  const { clock, wait } = createVirtualClock();
  assert.throws(
    () => createInterpreter({ machines: { odd: { StartAt: "A" } }, clock, wait }),
    /Machine odd cannot be run/,
  );
});

test("the context object says where and when", async (context) => {
  const machine = machineOf({ Show: { Type: "Pass", Output: "{% $states.context %}" } });
  const { run, arnOf, time } = testInterpreter(context, { machine });
  const { output, executionArn, name } = await run("machine", { a: 1 });
  const now = new Date(time.clock()).toISOString();
  assert.deepEqual(JSON.parse(output ?? ""), {
    Execution: {
      Id: executionArn,
      Input: { a: 1 },
      Name: name,
      RoleArn: "arn:aws:iam::123456789012:role/machines",
      StartTime: now,
      RedriveCount: 0,
    },
    StateMachine: { Id: arnOf("machine"), Name: "machine" },
    State: { Name: "Show", EnteredTime: now },
  });
});
