import { Aws, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { batchDefinition } from "../src/engines/aws/batch-definition.ts";
import { probeName } from "../src/core/object-store.ts";
import { allowBatches } from "./batch-permissions.ts";
import type { BroadbandAgent } from "./broadband-agent-stack.ts";
import type { Entries } from "./entries.ts";
import { createFunction, longestTimeout, type OwnFunction } from "./lambda-function.ts";
import { arnOf, objectsArn } from "./names.ts";
import { allow } from "./permissions.ts";
import type { Settings } from "./settings.ts";
import { createStateMachine, type OwnStateMachine } from "./state-machine.ts";
import { encrypt, readRegistry, recordingsUri } from "./storage-access.ts";
import { runsPrefix, type Storage } from "./storage-stack.ts";

/** The state machine that runs batches, and its two functions. */
export interface BatchProcessor {
  readonly stack: Stack;
  readonly machine: OwnStateMachine;
  readonly prepare: OwnFunction;
  readonly finish: OwnFunction;
}

/** Creates the batch processor. */
export function createBatchProcessor(
  scope: Construct,
  settings: Settings,
  entries: Entries,
  storage: Storage,
  agent: BroadbandAgent,
  props: StackProps,
): BatchProcessor {
  const stack = new Stack(scope, "BatchProcessor", props);
  stack.addStackDependency(agent.stack);
  const { names } = storage;
  const topicArn = arnOf("sns", names.topic);
  const environment = {
    RUNS_URI: `s3://${names.bucket}/${runsPrefix}`,
    RECORDINGS_URI: recordingsUri(storage),
    AGENT_TABLE: names.agentTable,
    TEMPLATE_TABLE: names.templateTable,
    AGENT_MACHINE_ARN: agent.machine.arn,
    TOPIC_ARN: topicArn,
    WORKER_WAIT_SECONDS: String(settings.browser === "activity" ? settings.workerWaitSeconds : 0),
  };
  const largeTables = { memoryMb: settings.functionMemoryMb, scratchMb: 10_240, timeout: longestTimeout, environment };
  const prepare = createFunction(stack, "Prepare", settings, {
    functionName: `${names.batchMachine}-prepare`,
    description: "Reads and checks batch, agent and table; stages the rows",
    entry: entries.prepare,
    ...largeTables,
  });
  const finish = createFunction(stack, "Finish", settings, {
    functionName: `${names.batchMachine}-finish`,
    description: "Puts results in order, writes the enriched table",
    entry: entries.finish,
    ...largeTables,
  });
  const machine = createStateMachine(
    stack,
    "Machine",
    settings,
    names.batchMachine,
    batchDefinition({
      partition: stack.partition,
      prepareArn: prepare.arn,
      finishArn: finish.arn,
      defaultTopicArn: topicArn,
    }),
  );
  allowPrepare(prepare, settings, storage);
  allowFinish(finish, settings, storage);
  allowBatches(machine, settings, storage, [prepare, finish], agent);
  return { stack, machine, prepare, finish };
}

function allowPrepare({ role }: OwnFunction, settings: Settings, storage: Storage): void {
  allow(role, "ReadInputs", {
    actions: ["s3:GetObject"],
    resources: dataBuckets(settings, storage).map((name) => objectsArn(name, "*")),
    pattern: "Where batch files and tables lie within the bucket is their author's choice.",
  });
  allow(role, "FindInputs", {
    actions: ["s3:ListBucket"],
    resources: dataBuckets(settings, storage).map((name) => `arn:${Aws.PARTITION}:s3:::${name}`),
  });
  allow(role, "WriteRuns", {
    actions: ["s3:PutObject", "s3:AbortMultipartUpload"],
    resources: [objectsArn(storage.names.bucket, `${runsPrefix}*`)],
    pattern: "A run's folder has its id for a name.",
  });
  allow(role, "ProbeOutputs", {
    actions: ["s3:PutObject", "s3:DeleteObject"],
    resources: dataBuckets(settings, storage).map((name) => objectsArn(name, `*${probeName}`)),
    pattern: "Whether an output can be written is tried before a row is spent; where it goes is the batch's choice.",
  });
  allow(role, "ReadRegistry", readRegistry(storage));
  allow(role, "Encrypt", encrypt(storage));
}

function allowFinish({ role }: OwnFunction, settings: Settings, storage: Storage): void {
  allow(role, "ReadRuns", {
    actions: ["s3:GetObject"],
    resources: [objectsArn(storage.names.bucket, `${runsPrefix}*`)],
    pattern: "A run's folder has its id for a name.",
  });
  allow(role, "FindResults", {
    actions: ["s3:ListBucket"],
    resources: [`arn:${Aws.PARTITION}:s3:::${storage.names.bucket}`],
  });
  allow(role, "ReadReplies", {
    actions: ["s3:GetObject"],
    resources: [objectsArn(storage.names.recordingsBucket, "*")],
    pattern: "Replies that are too large for Step Functions lie with the recordings of their attempts.",
  });
  allow(role, "WriteOutputs", {
    actions: ["s3:PutObject", "s3:AbortMultipartUpload"],
    resources: dataBuckets(settings, storage).map((name) => objectsArn(name, "*")),
    pattern:
      "Where outputs go within the bucket is the batch's choice, and a refusal would come after all work is done.",
  });
  allow(role, "Encrypt", encrypt(storage));
}

/** The buckets that batches may name. */
function dataBuckets({ buckets }: Settings, { names }: Storage): readonly string[] {
  return [names.bucket, ...buckets];
}
