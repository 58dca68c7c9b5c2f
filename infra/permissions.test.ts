import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import type { Template } from "aws-cdk-lib/assertions";
import type { JsonObject } from "../src/core/json.ts";
import { root } from "./bundle.ts";
import { definitionIn } from "./testing/resolve.ts";
import { covers, permissionsIn, textsIn, type Allowed } from "./testing/roles.ts";
import { synthesise } from "./testing/synthesise.ts";
import { everyOption } from "./testing/variants.ts";

const usual = synthesise().templates;
const other = synthesise(everyOption).templates;

/** What needs an action: a file, and the call within it; or a service that does it by itself. */
type Need = readonly [action: string, file: string, call: string] | readonly [action: string, service: string];

const log: readonly Need[] = [
  ["logs:CreateLogStream", "Lambda"],
  ["logs:PutLogEvents", "Lambda"],
  ["xray:PutTelemetryRecords", "Lambda"],
  ["xray:PutTraceSegments", "Lambda"],
];
const readObject: Need = ["s3:GetObject", "src/stores/s3-transfer.ts", "s3.getObject("];
const writeObject: readonly Need[] = [
  ["s3:PutObject", "src/stores/s3-transfer.ts", "s3.putObject("],
  ["s3:AbortMultipartUpload", "src/stores/s3-transfer.ts", "s3.abortMultipartUpload("],
];
const readRegistry: readonly Need[] = [
  ["dynamodb:DescribeTable", "src/registry/dynamodb-place.ts", "client.describeTable("],
  ["dynamodb:Query", "src/registry/dynamodb-place.ts", "client.query("],
  ["dynamodb:Scan", "src/registry/dynamodb-place.ts", "client.scan("],
];
const work: readonly Need[] = [
  ["states:GetActivityTask", "src/engines/worker/activity-tasks.ts", "GetActivityTaskCommand("],
  ["states:SendTaskHeartbeat", "src/engines/worker/activity-tasks.ts", "SendTaskHeartbeatCommand("],
  ["states:SendTaskSuccess", "src/engines/worker/activity-tasks.ts", "SendTaskSuccessCommand("],
  ["states:SendTaskFailure", "src/engines/worker/activity-tasks.ts", "SendTaskFailureCommand("],
];

/** Every action of every role that code of ours runs with. */
const needs: Readonly<Record<string, readonly Need[]>> = {
  PrepareRole: [
    ...log,
    readObject,
    // Without it, S3 says of an object that is not there that access is denied.
    ["s3:ListBucket", "src/stores/s3-store.ts", "s3.listObjectsV2("],
    ...writeObject,
    ["s3:DeleteObject", "src/stores/s3-store.ts", "s3.deleteObject("],
    ...readRegistry,
  ],
  FinishRole: [...log, readObject, ["s3:ListBucket", "src/stores/s3-store.ts", "s3.listObjectsV2("], ...writeObject],
  ResolveAgentRole: [...log, ...readRegistry],
  RunBrowserRole: [...log, ...writeObject],
  WorkerPolicy: [...work, ...writeObject],
};

/** What a key of one's own needs besides, by the actions that read or write with it. */
const keyActions: Readonly<Record<string, readonly string[]>> = {
  "s3:GetObject": ["kms:Decrypt"],
  "s3:PutObject": ["kms:Decrypt", "kms:GenerateDataKey"],
  "dynamodb:Query": ["kms:Decrypt"],
  "sns:Publish": ["kms:Decrypt", "kms:GenerateDataKey"],
};

function withKeyActions(actions: readonly string[]): readonly string[] {
  return [...new Set([...actions, ...actions.flatMap((action) => keyActions[action] ?? [])])].toSorted();
}

function actionsOf(allowed: readonly Allowed[] = []): readonly string[] {
  return [...new Set(allowed.map(({ action }) => action))].toSorted();
}

for (const [role, actions] of Object.entries(needs)) {
  const wanted = actions.map(([action]) => action);

  test(`${role} may do what its code does, and nothing else`, () => {
    for (const [templates, expected] of [
      [usual, wanted.toSorted()],
      [other, withKeyActions(wanted)],
    ] as const) {
      const allowed = [templates.agent, templates.batches].flatMap((one) => permissionsIn(one).get(role) ?? []);
      const isThere = templates === usual ? role !== "RunBrowserRole" : role !== "WorkerPolicy";
      assert.deepEqual(actionsOf(allowed), isThere ? expected : []);
    }
  });

  test(`the calls that ${role} is for are in the code`, async () => {
    for (const [action, file, call] of actions) {
      if (call === undefined) continue;
      const code = await readFile(`${root}/${file}`, "utf8");
      assert.ok(code.includes(call), `${action}: ${file} has no ${call}`);
    }
  });
}

test("every role is in the table, or is a state machine's", () => {
  for (const templates of [usual, other]) {
    const roles = [templates.agent, templates.batches].flatMap((one) => [...permissionsIn(one).keys()]);
    const unknown = roles.filter((role) => role !== "MachineRole" && !Object.hasOwn(needs, role));
    assert.deepEqual(unknown, []);
  }
});

/** Actions that a definition needs: those of its states' resources, and of its maps. */
function actionsFor(definition: JsonObject): readonly string[] {
  const byResource: Readonly<Record<string, readonly string[]>> = {
    "lambda:invoke": ["lambda:InvokeFunction"],
    "sns:publish": ["sns:Publish"],
    "s3:getObject": ["s3:GetObject"],
    "s3:putObject": ["s3:PutObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"],
    "states:startExecution.sync:2": [
      ...["states:StartExecution", "states:DescribeExecution", "states:StopExecution"],
      ...["events:PutTargets", "events:PutRule", "events:DescribeRule"],
    ],
  };
  const texts = textsIn(definition);
  const resources = texts.flatMap((text) => /^arn:aws:states:::(.+)$/.exec(text)?.[1] ?? []);
  const rows = texts.includes("DISTRIBUTED")
    ? ["states:StartExecution", "states:DescribeExecution", "states:StopExecution", "states:RedriveExecution"]
    : [];
  const unknown = resources.filter((resource) => byResource[resource] === undefined);
  assert.deepEqual(unknown, [], "say what the resource needs");
  return [...new Set([...rows, ...resources.flatMap((resource) => byResource[resource] ?? [])])];
}

/** What Step Functions needs for logs and traces, whatever the states do. */
const observing = [
  ..."CreateLogDelivery GetLogDelivery UpdateLogDelivery DeleteLogDelivery ListLogDeliveries".split(" "),
  ..."PutResourcePolicy DescribeResourcePolicies DescribeLogGroups".split(" "),
]
  .map((name) => `logs:${name}`)
  .concat(
    ["PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets"].map((name) => `xray:${name}`),
  );

const machines: readonly (readonly [name: string, template: Template, ownKey: boolean])[] = [
  ["the batch processor", usual.batches, false],
  ["the batch processor with every option", other.batches, true],
  ["the agent by workers", usual.agent, false],
  ["the agent in Lambda", other.agent, false],
];

for (const [name, template, ownKey] of machines) {
  const allowed = permissionsIn(template).get("MachineRole") ?? [];
  const definition = definitionIn(template);

  test(`${name} may do what its states do, and nothing else`, () => {
    const wanted = [...actionsFor(definition), ...observing];
    assert.deepEqual(actionsOf(allowed), ownKey ? withKeyActions(wanted) : wanted.toSorted());
  });

  test(`${name} may invoke the functions that its definition names`, () => {
    const functions = textsIn(definition).filter((text) => /^arn:aws:lambda:\S+$/.test(text));
    assert.ok(functions.length > 0);
    for (const arn of functions) assert.ok(may(allowed, "lambda:InvokeFunction", arn), arn);
  });
}

function may(allowed: readonly Allowed[], action: string, arn: string): boolean {
  return allowed.some((one) => one.action === action && covers(one.resource, arn));
}

const states = (resource: string): string => `arn:aws:states:eu-west-1:123456789012:${resource}`;
const machineOf = (template: Template): readonly Allowed[] => permissionsIn(template).get("MachineRole") ?? [];

test("the batch processor reads and writes its runs in S3, and nothing beside them", () => {
  for (const [template, stage] of [
    [usual.batches, "prod"],
    [other.batches, "dev"],
  ] as const) {
    const resources = machineOf(template).filter(({ action }) => action.startsWith("s3:"));
    assert.deepEqual(
      [...new Set(resources.map(({ resource }) => resource))],
      [`arn:aws:s3:::batch-processor-${stage}-123456789012/runs/*`],
    );
  }
});

test("the batch processor starts, watches and stops its own agent and rows, and no other's", () => {
  const allowed = machineOf(usual.batches);
  const agent = "broadband-availability-bt-wholesale-prod";
  assert.ok(may(allowed, "states:StartExecution", states(`stateMachine:${agent}`)));
  assert.ok(may(allowed, "states:StopExecution", states(`execution:${agent}:run-1-1`)));
  assert.ok(may(allowed, "states:StartExecution", states("stateMachine:batch-processor-prod")));
  assert.ok(may(allowed, "states:StopExecution", states("execution:batch-processor-prod/ProcessRows:7a1b")));
  assert.ok(
    may(allowed, "states:RedriveExecution", states("execution:batch-processor-prod/ProcessRowsByFunction:7a1b")),
  );
  assert.ok(!may(allowed, "states:RedriveExecution", states("execution:batch-processor-prod:7a1b")));
  assert.ok(!may(allowed, "states:StartExecution", states("stateMachine:other")));
  assert.ok(!may(allowed, "states:StopExecution", states("execution:other:7a1b")));
  assert.ok(
    may(
      allowed,
      "events:PutRule",
      "arn:aws:events:eu-west-1:123456789012:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule",
    ),
  );
});

test("what batches may name besides is what the context allows", () => {
  const allowed = machineOf(other.batches);
  assert.ok(may(allowed, "states:StartExecution", states("stateMachine:lookup")));
  assert.ok(may(allowed, "states:StopExecution", states("execution:prices-uk:1")));
  assert.ok(may(allowed, "lambda:InvokeFunction", "arn:aws:lambda:eu-west-1:123456789012:function:score-rows:3"));
  assert.ok(may(allowed, "sns:Publish", "arn:aws:sns:eu-west-1:123456789012:team-data"));
  assert.ok(!may(allowed, "states:StartExecution", states("stateMachine:lookup-2")));
  assert.ok(!may(allowed, "lambda:InvokeFunction", "arn:aws:lambda:eu-west-1:123456789012:function:other"));
  assert.ok(!may(allowed, "sns:Publish", "arn:aws:sns:eu-west-1:123456789012:other"));
  const prepare = permissionsIn(other.batches).get("PrepareRole") ?? [];
  assert.ok(may(prepare, "s3:GetObject", "arn:aws:s3:::other-tables/rows.csv"));
  assert.ok(!may(prepare, "s3:PutObject", "arn:aws:s3:::other-tables/rows.csv"));
  assert.ok(may(prepare, "s3:PutObject", "arn:aws:s3:::other-tables/results/.rowcall-probe"));
  const finish = permissionsIn(other.batches).get("FinishRole") ?? [];
  assert.ok(may(finish, "s3:PutObject", "arn:aws:s3:::other-tables/enriched.csv"));
});

test("a worker may take tasks of its activity and leave recordings, and nothing else", () => {
  const allowed = permissionsIn(usual.agent).get("WorkerPolicy") ?? [];
  assert.deepEqual(
    [...new Set(allowed.map(({ resource }) => resource))],
    [
      states("activity:broadband-availability-bt-wholesale-prod"),
      "arn:aws:s3:::browser-agent-recordings-prod-123456789012/*",
    ],
  );
});

test("only logs and traces are allowed on everything", () => {
  for (const template of [usual.storage, usual.agent, usual.batches, other.agent, other.batches]) {
    const everything = [...permissionsIn(template).values()].flat().filter(({ resource }) => resource === "*");
    assert.deepEqual(
      everything.filter(
        ({ action }) => !/^(?:xray:|logs:\w*(?:LogDeliver|ResourcePolic|DescribeLogGroups))/.test(action),
      ),
      [],
    );
  }
});

test("a role is assumed by its service alone, and for this account's machine", () => {
  const roles = Object.values(usual.batches.findResources("AWS::IAM::Role")) as {
    readonly Properties: { readonly AssumeRolePolicyDocument: { readonly Statement: readonly JsonObject[] } };
  }[];
  const statements = roles.flatMap(
    ({ Properties: { AssumeRolePolicyDocument } }) => AssumeRolePolicyDocument.Statement,
  );
  assert.equal(statements.length, 3);
  for (const { Principal: principal, Condition: condition } of statements) {
    const { Service: service } = principal as JsonObject;
    assert.match(String(service), /^(?:lambda|states)\.amazonaws\.com$/);
    if (service === "states.amazonaws.com")
      assert.ok(textsIn(condition).some((text) => text.endsWith("processor-prod*")));
  }
});
