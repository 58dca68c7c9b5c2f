import assert from "node:assert/strict";
import { describe, test } from "node:test";
import validate from "asl-validator";
import type { JsonObject } from "../src/core/json.ts";
import { agentDefinition } from "../src/engines/aws/agent-definition.ts";
import { batchDefinition } from "../src/engines/aws/batch-definition.ts";
import { loadDefinition, type DefinitionError } from "../test/asl/load-definition.ts";
import { checkVariables } from "./testing/check-variables.ts";
import { definitionIn } from "./testing/resolve.ts";
import { synthesise } from "./testing/synthesise.ts";
import { everyOption } from "./testing/variants.ts";

const arn = (service: string, resource: string): string => `arn:aws:${service}:eu-west-1:123456789012:${resource}`;
const agentName = "broadband-availability-bt-wholesale";

const { templates } = synthesise();
const batch = definitionIn(templates.batches);
const agentByWorkers = definitionIn(templates.agent);
const agentInLambda = definitionIn(synthesise(everyOption).templates.agent);

test("the batch processor's template holds the definition to the letter", () => {
  assert.deepEqual(
    batch,
    batchDefinition({
      partition: "aws",
      prepareArn: arn("lambda", "function:batch-processor-prod-prepare"),
      finishArn: arn("lambda", "function:batch-processor-prod-finish"),
      defaultTopicArn: arn("sns", "batch-processor-notifications-prod"),
    }),
  );
});

test("the agent's template holds the definition to the letter, with workers and with a function", () => {
  const definition = (stage: string, host: Parameters<typeof agentDefinition>[0]["host"]): object =>
    agentDefinition({
      partition: "aws",
      agent: agentName,
      resolveArn: arn("lambda", `function:${agentName}-${stage}-resolve`),
      host,
    });
  const activityArn = arn("states", `activity:${agentName}-prod`);
  assert.deepEqual(agentByWorkers, definition("prod", { kind: "activity", activityArn, heartbeatSeconds: 60 }));
  const functionArn = arn("lambda", `function:${agentName}-dev-browser`);
  assert.deepEqual(agentInLambda, definition("dev", { kind: "function", functionArn }));
});

test("workers are asked for signs of life as often as the state machine waits for them", () => {
  const { RunBrowser: task } = agentByWorkers["States"] as Readonly<Record<string, JsonObject>>;
  assert.equal(task?.["HeartbeatSeconds"], 60);
  assert.match(String(task?.["Arguments"]), /"heartbeat_seconds": 60 \}/);
});

const definitions = { batch, agentByWorkers, agentInLambda };

for (const [name, definition] of Object.entries(definitions)) {
  test(`${name}: asl-validator finds nothing`, () => {
    const { isValid, errorsText } = validate(definition);
    assert.ok(isValid, errorsText("\n"));
  });

  test(`${name}: nor do our checks of what asl-validator does not see`, () => {
    assert.deepEqual(checkVariables(loadDefinition(name, definition)), []);
  });
}

describe("rows", () => {
  const maps = Object.entries(batch["States"] as Readonly<Record<string, JsonObject>>).filter(
    ([, state]) => state["Type"] === "Map",
  );

  test("there is a map for each way that rows reach their agent", () => {
    assert.deepEqual(
      maps.map(([name]) => name),
      ["ProcessRows", "ProcessRowsByFunction"],
    );
  });

  for (const [name, map] of maps) {
    const processor = map["ItemProcessor"] as JsonObject;

    test(`${name} writes its results where the run is, as JSON lines`, () => {
      assert.deepEqual(map["ResultWriter"], {
        Resource: "arn:aws:states:::s3:putObject",
        Arguments: { Bucket: "{% $plan.bucket %}", Prefix: "{% $plan.results_prefix %}" },
        WriterConfig: { OutputType: "JSONL", Transformation: "COMPACT" },
      });
    });

    test(`${name} runs its rows as standard executions`, () => {
      assert.deepEqual(processor["ProcessorConfig"], { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" });
    });

    test(`${name} calls nothing for a row but the agent`, () => {
      const states = Object.values(processor["States"] as Readonly<Record<string, JsonObject>>);
      const resources = states.flatMap(({ Resource: resource }) => resource ?? []);
      const agent = name === "ProcessRows" ? "states:startExecution.sync:2" : "lambda:invoke";
      assert.deepEqual(resources, [`arn:aws:states:::${agent}`]);
    });
  }
});

describe("our checks find", () => {
  const broken = (change: (states: Record<string, Record<string, unknown>>) => void): readonly string[] => {
    const copy = structuredClone(batch);
    change(copy["States"] as unknown as Record<string, Record<string, unknown>>);
    try {
      return checkVariables(loadDefinition("broken", copy));
    } catch (error) {
      return (error as DefinitionError).problems;
    }
  };

  const faults: readonly (readonly [
    what: string,
    change: (states: Record<string, Record<string, unknown>>) => void,
    says: RegExp,
  ])[] = [
    ["a way that leads nowhere", (states) => (states["Notify"]!["Next"] = "Gone"), /leads to "Gone"/],
    [
      "JSONata that cannot be parsed",
      (states) => (states["RunSucceeded"]!["Output"] = "{% $end. %}"),
      /has no JSONata/,
    ],
    ["a variable that nobody assigned", (states) => (states["RunSucceeded"]!["Output"] = "{% $ended %}"), /\$ended/],
    ["a function that JSONata lacks", (states) => (states["RunSucceeded"]!["Output"] = "{% $nope() %}"), /\$nope/],
    [
      "$eval, which Step Functions lacks",
      (states) => (states["RunSucceeded"]!["Output"] = "{% $eval('1') %}"),
      /uses \$eval/,
    ],
    [
      "a result before there is one",
      (states) => (states["Finish"]!["Arguments"] = { FunctionName: "{% $states.result %}" }),
      /\$states\.result/,
    ],
    [
      "a variable that is assigned only later",
      (states) => (states["Prepare"]!["Arguments"] = { FunctionName: "{% $plan.run %}" }),
      /\$plan/,
    ],
    [
      "a batch's variable in the executions of rows",
      (states) => {
        const { States: rows } = states["ProcessRows"]!["ItemProcessor"] as { States: Record<string, JsonObject> };
        rows["RowFailed"] = { Type: "Fail", Error: "{% $plan.run %}" };
      },
      /RowFailed .*\$plan/,
    ],
    [
      "a key that readers do not have",
      (states) =>
        ((states["ProcessRows"]!["ItemReader"] as { ReaderConfig: object }).ReaderConfig = { Input: "JSONL" }),
      /"Input"/,
    ],
    [
      "a key that writers do not have",
      (states) =>
        ((states["ProcessRows"]!["ResultWriter"] as { WriterConfig: object }).WriterConfig = { Type: "JSON" }),
      /"Type"/,
    ],
    ["a state that is never reached", (states) => (states["Lost"] = { Type: "Succeed" }), /"Lost" cannot be reached/],
  ];

  for (const [what, change, says] of faults) {
    test(what, () => {
      const problems = broken(change);
      assert.ok(
        problems.some((problem) => says.test(problem)),
        JSON.stringify(problems),
      );
    });
  }
});
