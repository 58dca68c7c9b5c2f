import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { evaluate } from "../../../test/asl/evaluate.ts";
import { machineOf, testInterpreter, type TestInterpreter } from "../../../test/asl/test-interpreter.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { retryDelayMs } from "../../core/retry.ts";
import { createExtractor } from "../../attempt/extract.ts";
import { expression, hasOutput, rowDefinition, type RowSettings, type RowTarget } from "./row-definition.ts";

const place = "arn:aws:states:eu-west-1:123456789012";
const settings: RowSettings = {
  run_id: "run",
  target: `${place}:stateMachine:agent`,
  task_timeout_seconds: 60,
  needs_output: true,
  retry: {
    max_attempts: 2,
    interval_seconds: 3,
    backoff_rate: 2,
    max_delay_seconds: 300,
    full_jitter: false,
    codes: ["AGENT_FAILED", "OUTPUT_MISSING", "TIMEOUT", "HTTP_UNAVAILABLE"],
    max_losses: 3,
  },
};

const row = (over: Partial<RowSettings> = {}): JsonObject => ({
  row: 7,
  input: { a: "1" },
  attempt: 1,
  failures: 0,
  losses: 0,
  batch: { ...settings, ...over },
});

function rowMachine(target: RowTarget): JsonObject {
  return { QueryLanguage: "JSONata", ...rowDefinition("aws", target) };
}

const answering = (output: JsonValue): JsonObject => machineOf({ Answer: { Type: "Pass", Output: output } });
const failing = (Error: string, Cause?: string): JsonObject =>
  machineOf({ Fall: { Type: "Fail", Error, ...(Cause === undefined ? {} : { Cause }) } });

describe("one row's execution", () => {
  const causeOf = (interpreter: TestInterpreter, arn: string): JsonObject =>
    JSON.parse(interpreter.describeExecution(arn).cause ?? "{}") as JsonObject;

  it("gives back row, attempt, times and the reply", async (context) => {
    const reply = { structured_output: { b: 2 } };
    const interpreter = testInterpreter(context, { row: rowMachine("state_machine"), agent: answering(reply) });
    const { status, output } = await interpreter.run("row", row());
    assert.equal(status, "SUCCEEDED");
    const { started_at: startedAt, ended_at: endedAt, ...rest } = JSON.parse(output ?? "{}") as JsonObject;
    assert.deepEqual(rest, { row: 7, attempt: 1, reply });
    assert.ok(Number(startedAt) <= Number(endedAt));
    const [child] = interpreter.listExecutions({ stateMachineArn: interpreter.arnOf("agent") });
    assert.equal(child?.name, "run-7-1");
  });

  it("passes a batch's context on, with row and attempt", async (context) => {
    const echo = machineOf({
      Echo: { Type: "Pass", Output: { structured_output: "{% $states.input._rowcall %}" } },
    });
    const interpreter = testInterpreter(context, { row: rowMachine("state_machine"), agent: echo });
    const { output } = await interpreter.run("row", row({ context: { run_id: "run", timeout_seconds: 5 } }));
    const { reply } = JSON.parse(output ?? "{}") as { readonly reply: JsonObject };
    assert.deepEqual(reply["structured_output"], { run_id: "run", timeout_seconds: 5, row: 7, attempt: 1 });
  });

  it("tries again as often as the batch says, waiting longer each time, and then fails with code and cause", async (context) => {
    const interpreter = testInterpreter(context, {
      row: rowMachine("state_machine"),
      agent: failing("HTTP_UNAVAILABLE", '{"message":"nobody listens","hint":"wait"}'),
    });
    const began = interpreter.time.clock();
    const arn = interpreter.start("row", row());
    while (interpreter.describeExecution(arn).status === "RUNNING") await interpreter.time.advance(500);
    const { error } = interpreter.describeExecution(arn);
    const { message, hint, attempt_number: attempts } = causeOf(interpreter, arn);
    assert.deepEqual([error, message, hint, attempts], ["HTTP_UNAVAILABLE", "nobody listens", "wait", 3]);
    const policy = {
      maxAttempts: 2,
      intervalSeconds: 3,
      backoffRate: 2,
      maxDelaySeconds: 300,
      jitterStrategy: "NONE" as const,
      doNotRetryOn: [],
    };
    const waited = [1, 2].reduce((sum, failed) => sum + retryDelayMs(policy, failed, () => 0), 0);
    const took = interpreter.time.clock() - began;
    assert.ok(took >= waited && took <= waited + 1000, `${took} ms, and the waits are ${waited} ms`);
  });

  it("does not try again what the batch does not, nor what somebody has stopped", async (context) => {
    const interpreter = testInterpreter(context, {
      row: rowMachine("state_machine"),
      agent: failing("CHOICE_NONE", '{"message":"no such address"}'),
    });
    const { error } = await interpreter.run("row", row());
    assert.equal(error, "CHOICE_NONE");
    assert.equal(interpreter.listExecutions({ stateMachineArn: interpreter.arnOf("agent") }).length, 1);
  });

  it("gives a row that loses its worker to another, without counting it, until three are lost", async (context) => {
    const interpreter = testInterpreter(context, {
      row: rowMachine("state_machine"),
      agent: failing("WORKER_LOST", '{"message":"silence"}'),
    });
    const { error } = await interpreter.run("row", row({ retry: { ...settings.retry, max_attempts: 0 } }));
    assert.equal(error, "WORKER_LOST");
    assert.equal(interpreter.listExecutions({ stateMachineArn: interpreter.arnOf("agent") }).length, 3);
  });

  it("takes a reply without structured output for a failure", async (context) => {
    const interpreter = testInterpreter(context, {
      row: rowMachine("state_machine"),
      agent: answering({ answer: 42 }),
    });
    const arn = interpreter.start("row", row({ retry: { ...settings.retry, max_attempts: 0 } }));
    await interpreter.finished(arn);
    assert.equal(interpreter.describeExecution(arn).error, "OUTPUT_MISSING");
    assert.equal(causeOf(interpreter, arn)["message"], "Agent did not return structured output");
  });

  it("leaves a foreign error's words as they are, for Finish to read", async (context) => {
    const interpreter = testInterpreter(context, {
      row: rowMachine("state_machine"),
      agent: failing("Lookup.Down", "the register is closed"),
    });
    const arn = interpreter.start("row", row({ retry: { ...settings.retry, max_attempts: 0 } }));
    await interpreter.finished(arn);
    assert.equal(interpreter.describeExecution(arn).error, "AGENT_FAILED");
    const { error, cause } = causeOf(interpreter, arn);
    assert.deepEqual([error, cause], ["Lookup.Down", "the register is closed"]);
  });

  it("calls a function with the row alone, and reads its error", async (context) => {
    const seen: JsonValue[] = [];
    const interpreter = testInterpreter(
      context,
      { row: rowMachine("function") },
      {
        lambdas: {
          lookup: (payload) => {
            seen.push(payload);
            if (seen.length === 1) throw Object.assign(new Error("no such postcode"), { name: "ValueError" });
            return { structured_output: { b: 2 } };
          },
        },
      },
    );
    const { status } = await interpreter.run("row", row({ target: "lookup" }));
    assert.equal(status, "SUCCEEDED");
    assert.deepEqual(seen, [{ a: "1" }, { a: "1" }]);
  });
});

// A text that begins like an object and is none counts as no answer at all here, also when there is one in `content`.
const aText = fc.string().filter((text) => !text.trimStart().startsWith("{"));
const value = fc.oneof(
  fc.constant(null),
  fc.constant({ b: 1 }),
  fc.constant([{ b: 1 }]),
  aText,
  fc.integer(),
  fc.constant([]),
);
const holder = fc.oneof(fc.record({ structured_output: value }, { requiredKeys: [] }), value);
const replies = fc.oneof(
  holder,
  fc.record(
    {
      structured_output: value,
      Output: fc.oneof(
        holder,
        holder.map((one) => JSON.stringify(one)),
      ),
      content: holder,
      other: fc.jsonValue(),
    },
    { requiredKeys: [] },
  ),
);

test("JSONata finds structured output where the code of one machine finds it", async () => {
  const extract = createExtractor({ agent_name: "any", structured_output: { enabled: true, output_fields: [] } });
  const find = async (reply: JsonValue): Promise<JsonValue> =>
    evaluate(expression(hasOutput("$states.input")), "Output", {
      states: { input: reply },
      variables: {},
      now: 0,
      random: () => 0.5,
    });
  await fc.assert(
    fc.asyncProperty(replies, async (any) => {
      const reply = any as JsonValue;
      assert.equal(await find(reply), extract(reply).status === "succeeded", JSON.stringify(reply));
    }),
    { numRuns: 500 },
  );
});

test("JSONata waits as long as one machine does, and never longer than the batch allows", async () => {
  const { States: states } = rowDefinition("aws", "state_machine");
  const [backOff] = Object.values(states).filter(({ Type: type }) => type === "Wait");
  const policies = fc.record({
    interval: fc.nat(100),
    backoff: fc.double({ min: 1, max: 3, noNaN: true }),
    longest: fc.nat(600),
    isJittered: fc.boolean(),
    failures: fc.integer({ min: 1, max: 8 }),
    asked: fc.option(fc.nat(4_000_000), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(policies, async ({ interval, backoff, longest, isJittered, failures, asked }) => {
      const input = {
        failures,
        error: asked === undefined ? {} : { retry_after_ms: asked },
        batch: {
          retry: {
            interval_seconds: interval,
            backoff_rate: backoff,
            max_delay_seconds: longest,
            full_jitter: isJittered,
          },
        },
      };
      const bindings = { states: { input }, variables: {}, now: 0, random: () => 0.5 };
      const seconds = Number(await evaluate(backOff?.["Seconds"] ?? "", "Seconds", bindings));
      const policy = {
        maxAttempts: 9,
        intervalSeconds: interval,
        backoffRate: backoff,
        maxDelaySeconds: longest,
        jitterStrategy: isJittered ? ("FULL" as const) : ("NONE" as const),
        doNotRetryOn: [],
      };
      const here = retryDelayMs(policy, failures, () => 0.5, asked) / 1000;
      assert.ok(seconds <= longest && Math.abs(seconds - here) <= 0.501, `${seconds} s, here ${here} s`);
    }),
    { examples: [[{ interval: 5, backoff: 2, longest: 300, isJittered: false, failures: 1, asked: 3_600_000 }]] },
  );
});
