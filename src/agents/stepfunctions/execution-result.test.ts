import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { consoleUrl, executionArn, executionName } from "./execution-result.ts";
import { requireStateMachine } from "./stepfunctions-config.ts";

const attempts = fc.record({
  runId: fc.oneof(fc.string({ unit: "binary", maxLength: 120 }), fc.constantFrom("a", "a-1", "a_1", "a/1")),
  row: fc.nat(),
  attempt: fc.integer({ min: 1, max: 99 }),
  input: fc.oneof(fc.string(), fc.constantFrom("{}", '{"n":1}')),
  round: fc.integer({ min: 1, max: 3 }),
});

test("names are what Step Functions and CloudWatch take", () => {
  fc.assert(
    fc.property(attempts, ({ input, round, ...attempt }) => {
      assert.match(executionName(attempt, input, round), /^[\w-]{1,80}$/);
    }),
  );
});

test("the same attempt has the same name, another one another", () => {
  fc.assert(
    fc.property(attempts, attempts, (a, b) => {
      const same = JSON.stringify(a) === JSON.stringify(b);
      assert.equal(executionName(a, a.input, a.round) === executionName(b, b.input, b.round), same);
      assert.equal(executionName(a, a.input, a.round), executionName({ ...a }, a.input, a.round));
    }),
  );
});

test("a run's id is readable in the name as long as there is room", () => {
  const attempt = { runId: "20251018-053000-4f2k", row: 17, attempt: 1 };
  assert.match(executionName(attempt, "{}"), /^20251018-053000-4f2k-17-1-[0-9a-f]{16}$/);
  assert.equal(executionName({ ...attempt, runId: "x".repeat(200) }, "{}").length, 80);
});

test("an execution's ARN names the state machine without version or alias", () => {
  for (const qualifier of ["", ":3", ":prod"]) {
    const machine = requireStateMachine(
      "a",
      {},
      `arn:aws-cn:states:cn-north-1:123456789012:stateMachine:lookup${qualifier}`,
    );
    assert.equal(executionArn(machine, "x"), "arn:aws-cn:states:cn-north-1:123456789012:execution:lookup:x");
  }
});

test("the console is the one of the partition", () => {
  for (const [partition, region, host] of [
    ["aws", "eu-west-1", "eu-west-1.console.aws.amazon.com"],
    ["aws-cn", "cn-north-1", "cn-north-1.console.amazonaws.cn"],
    ["aws-us-gov", "us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"],
  ]) {
    const machine = requireStateMachine("a", {}, `arn:${partition}:states:${region}:123456789012:stateMachine:lookup`);
    assert.equal(
      consoleUrl(machine, executionArn(machine, "x")),
      `https://${host}/states/home?region=${region}#/v2/executions/details/arn:${partition}:states:${region}:123456789012:execution:lookup:x`,
    );
  }
});
