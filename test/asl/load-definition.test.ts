import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";
import { DefinitionError, loadDefinition } from "./load-definition.ts";
import { machineOf, sequenceOf } from "./test-interpreter.ts";

// Every field that is known, at least once.
const everything: JsonObject = {
  ...machineOf({
    Begin: { Type: "Pass", Comment: "c", Assign: { rows: [1] }, Output: { any: "{% $states.input %}" } },
    Call: {
      Type: "Task",
      Resource: "arn:aws:states:::lambda:invoke",
      Arguments: { FunctionName: "f", Payload: { any: 1 } },
      TimeoutSeconds: 60,
      HeartbeatSeconds: "{% 30 %}",
      Retry: [
        {
          ErrorEquals: ["Lambda.TooManyRequestsException"],
          IntervalSeconds: 1,
          MaxAttempts: 2,
          BackoffRate: 1.5,
          MaxDelaySeconds: 10,
          JitterStrategy: "FULL",
          Comment: "c",
        },
      ],
      Catch: [
        {
          ErrorEquals: ["States.ALL"],
          Next: "Wrong",
          Output: "{% $states.errorOutput %}",
          Assign: { e: 1 },
          Comment: "c",
        },
      ],
      Assign: { answer: "{% $states.result.Payload %}" },
    },
    Pause: { Type: "Wait", Seconds: 1 },
    Until: { Type: "Wait", Timestamp: "2026-01-01T00:00:00Z" },
    Both: {
      Type: "Parallel",
      Arguments: "{% $states.input %}",
      Branches: [
        { ...sequenceOf({ Left: { Type: "Pass" } }), Comment: "c" },
        sequenceOf({ Right: { Type: "Succeed" } }),
      ],
    },
    Each: {
      Type: "Map",
      Items: "{% $rows %}",
      ItemSelector: { row: "{% $states.context.Map.Item.Value %}" },
      MaxConcurrency: 5,
      ItemProcessor: { ProcessorConfig: { Mode: "INLINE" }, ...sequenceOf({ One: { Type: "Pass" } }) },
    },
    Rows: {
      Type: "Map",
      Label: "Rows",
      ItemReader: {
        Resource: "arn:aws:states:::s3:getObject",
        ReaderConfig: { InputType: "CSV", CSVHeaderLocation: "FIRST_ROW", MaxItems: 10 },
        Arguments: { Bucket: "b", Key: "k" },
      },
      ItemBatcher: { MaxItemsPerBatch: 2, MaxInputBytesPerBatch: 1000, BatchInput: { any: 1 } },
      ItemProcessor: {
        ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
        ...sequenceOf({
          Run: {
            Type: "Task",
            Resource: "arn:aws:states:::states:startExecution.sync:2",
            Arguments: { StateMachineArn: "m", Input: { any: 1 }, Name: "n" },
          },
        }),
      },
      ResultWriter: {
        Resource: "arn:aws:states:::s3:putObject",
        Arguments: { Bucket: "b", Prefix: "p" },
        WriterConfig: { Transformation: "COMPACT", OutputType: "JSONL" },
      },
      ToleratedFailurePercentage: "{% 5 %}",
      ToleratedFailureCount: 5,
    },
    Which: {
      Type: "Choice",
      Choices: [{ Condition: "{% true %}", Next: "Well", Assign: { a: 1 }, Output: 1, Comment: "c" }],
      Default: "Wrong",
      Assign: { b: 1 },
      Output: 1,
    },
    Well: { Type: "Succeed", Output: "{% $a %}" },
    Wrong: { Type: "Fail", Error: "E", Cause: "{% 'c' %}" },
  }),
  Comment: "c",
  TimeoutSeconds: 3600,
  Version: "1.0",
};

// Below these a definition is free.
const free: ReadonlySet<string> = new Set([
  "Assign",
  "Output",
  "ItemSelector",
  "BatchInput",
  "Payload",
  "Input",
  "States",
]);

const unknownKey = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.constantFrom("InputPath", "Parameters", "ResultPath", "Credentials", "next", "__proto__"),
);

test("takes every field that it knows", () => {
  loadDefinition("all", everything);
});

test("refuses an unknown field wherever one is added, and names it and its state", () => {
  const places = [...objectsIn(everything, [])];
  assert.ok(places.length > 30);
  fc.assert(
    fc.property(fc.constantFrom(...places), unknownKey, (path, key) => {
      const definition = structuredClone(everything);
      const target = path.reduce<JsonValue>(
        (value, step) => (value as Record<string, JsonValue>)[step] ?? null,
        definition,
      );
      if (Object.hasOwn(target as JsonObject, key)) return;
      Object.defineProperty(target, key, { value: 1, enumerable: true });
      const problems = problemsOf(definition);
      assert.ok(problems.some((problem) => problem.includes(key)));
      const at = path.lastIndexOf("States");
      const state = at === -1 ? undefined : path[at + 1];
      if (state !== undefined)
        assert.ok(
          problems.some((problem) => problem.startsWith(`State "${state}" `)),
          problems[0],
        );
    }),
    { numRuns: 300 },
  );
});

for (const [what, change, problem] of [
  ["a machine in JSONPath", { QueryLanguage: "JSONPath" }, /JSONata/],
  ["a machine without a language", { QueryLanguage: undefined }, /State "A" is not in JSONata/],
  ["a start that is not there", { StartAt: "B" }, /StartAt of the machine leads to "B"/],
  ["another version", { Version: "2.0" }, /Version/],
] as const)
  test(`refuses ${what}`, () =>
    assert.match(problemsOf({ ...machineOf({ A: { Type: "Pass" } }), ...change }).join(), problem));

const lambda = { Type: "Task", Resource: "arn:aws:states:::lambda:invoke", Arguments: { FunctionName: "f" } };
const processor = (config: JsonObject) => ({ ProcessorConfig: config, ...sequenceOf({ One: { Type: "Pass" } }) });
const express = { Mode: "DISTRIBUTED", ExecutionType: "EXPRESS" };

for (const [what, state, problem] of [
  ["a field of JSONPath", { Type: "Pass", InputPath: "$.a" }, /State "A" has what is not known here: "InputPath"/],
  ["a state type that is not there", { Type: "Loop" }, /State "A"/],
  [
    "an integration that is not there",
    { ...lambda, Resource: "arn:aws:states:::sqs:sendMessage" },
    /"Resource" that is not known here/,
  ],
  [
    "the ARN of a function",
    { ...lambda, Resource: "arn:aws:lambda:eu-west-1:1:function:f" },
    /"Resource" that is not known here/,
  ],
  [
    "a callback",
    { ...lambda, Resource: "arn:aws:states:::lambda:invoke.waitForTaskToken" },
    /"Resource" that is not known here/,
  ],
  ["an option of an integration", { ...lambda, Arguments: { FunctionName: "f", Qualifier: "q" } }, /"Qualifier"/],
  ["arguments that are no object", { ...lambda, Arguments: ["f"] }, /neither an object nor JSONata/],
  ["a call without its function", { ...lambda, Arguments: {} }, /lacks the argument "FunctionName"/],
  ["a next state that is not there", { Type: "Pass", Next: "B", End: undefined }, /leads to "B"/],
  ["a state without a next and an end", { Type: "Pass", End: undefined }, /either "Next" or "End"/],
  ["a heartbeat longer than the timeout", { ...lambda, TimeoutSeconds: 5, HeartbeatSeconds: 5 }, /HeartbeatSeconds/],
  ["a timeout of 0", { ...lambda, TimeoutSeconds: 0 }, /TimeoutSeconds/],
  ["States.ALL beside others", { ...lambda, Retry: [{ ErrorEquals: ["States.ALL", "E"] }] }, /States.ALL/],
  [
    "States.ALL before others",
    { ...lambda, Retry: [{ ErrorEquals: ["States.ALL"] }, { ErrorEquals: ["E"] }] },
    /States.ALL/,
  ],
  ["a wait without an end", { Type: "Wait" }, /either "Seconds" or "Timestamp"/],
  ["a time that is none", { Type: "Wait", Timestamp: "2026-01-01" }, /RFC3339/],
  ["JSONata that is none", { Type: "Pass", Output: "{% 1 + %}" }, /has no JSONata/],
  ["$eval", { Type: "Pass", Output: "{% $eval('1') %}" }, /\$eval/],
  ["a result before there is one", { ...lambda, Arguments: "{% $states.result %}" }, /reads \$states.result/],
  ["a result where there is none", { Type: "Pass", Output: "{% $states.result %}" }, /reads \$states.result/],
  [
    "an error where there is none",
    { ...lambda, Output: { a: "{% $states.errorOutput %}" } },
    /reads \$states.errorOutput/,
  ],
  ["a variable named states", { Type: "Pass", Assign: { states: 1 } }, /which is taken/],
  ["a variable that is no name", { Type: "Pass", Assign: { "a-b": 1 } }, /which is no name/],
  ["a label of 41 letters", { Type: "Map", Label: "x".repeat(41), ItemProcessor: processor(express) }, /Label/],
  ["a label with a colon", { Type: "Map", Label: "a:b", ItemProcessor: processor(express) }, /none of the characters/],
  [
    "a distributed map of no type",
    { Type: "Map", ItemProcessor: processor({ Mode: "DISTRIBUTED" }) },
    /"ExecutionType"/,
  ],
  [
    "a tolerance of an inline map",
    { Type: "Map", ToleratedFailureCount: 1, ItemProcessor: processor({ Mode: "INLINE" }) },
    /not DISTRIBUTED/,
  ],
  [
    "a tolerance above 100",
    { Type: "Map", ToleratedFailurePercentage: 101, ItemProcessor: processor(express) },
    /ToleratedFailurePercentage/,
  ],
  [
    "an inner variable that hides an outer one",
    {
      Type: "Map",
      Assign: { v: 1 },
      ItemProcessor: { ...processor({ Mode: "INLINE" }), ...sequenceOf({ One: { Type: "Pass", Assign: { v: 1 } } }) },
    },
    /assigns "v", which is a variable of the states around it/,
  ],
  [
    "a nested execution in an EXPRESS child",
    {
      Type: "Map",
      ItemProcessor: {
        ...processor(express),
        ...sequenceOf({
          One: {
            ...lambda,
            Resource: "arn:aws:states:::states:startExecution.sync:2",
            Arguments: { StateMachineArn: "m" },
          },
        }),
      },
    },
    /child that is EXPRESS cannot/,
  ],
] as const)
  test(`refuses ${what}`, () =>
    assert.match(problemsOf(machineOf({ A: { End: true, ...(state as JsonObject) } })).join("\n"), problem));

test("refuses a state that is there twice, or cannot be reached", () => {
  const inner = { Type: "Parallel", Branches: [sequenceOf({ A: { Type: "Pass" } })], End: true };
  assert.deepEqual(problemsOf(machineOf({ A: inner, B: { Type: "Pass" } })), [
    'State "B" cannot be reached',
    'State "A" is there twice',
  ]);
});

function problemsOf(definition: unknown): readonly string[] {
  try {
    loadDefinition("m", JSON.parse(JSON.stringify(definition)));
    return [];
  } catch (error) {
    assert.ok(error instanceof DefinitionError, String(error));
    return error.problems;
  }
}

// Paths of all objects whose keys have a meaning.
function* objectsIn(value: JsonValue, path: readonly string[]): Generator<readonly string[]> {
  const last = path.at(-1) ?? "";
  if (isJsonObject(value) && !free.has(last)) yield path;
  if (last !== "States" && free.has(last)) return;
  if (typeof value !== "object" || value === null) return;
  for (const [key, each] of Object.entries(value)) yield* objectsIn(each as JsonValue, [...path, key]);
}
