import { CfnOutput } from "aws-cdk-lib";
import { sevenSteps } from "../src/engines/aws/seven-steps.ts";
import type { BatchProcessor } from "./batch-processor-stack.ts";
import type { BroadbandAgent } from "./broadband-agent-stack.ts";
import { agentName, arnOf } from "./names.ts";
import type { Settings } from "./settings.ts";
import { runsPrefix, type Storage } from "./storage-stack.ts";

/** Prints after a deployment what to do next, with the names that were created. */
export function printOutputs(
  { stage }: Settings,
  { stack, names }: Storage,
  agent: BroadbandAgent,
  { stack: batchStack, machine }: BatchProcessor,
): void {
  const print = (scope: typeof stack, id: string, description: string, value: string): void => {
    new CfnOutput(scope, id, { description, value });
  };
  const registries = [names.agentTable, names.templateTable].map((table) => `dynamodb:${table}`);
  print(
    stack,
    "PublishAgent",
    "Put the agent and its template into the registry",
    `rowcall agents copy ${agentName} --to ${registries[0]} && rowcall templates copy ${templateName} --to ${registries[1]}`,
  );
  if (agent.browser.kind === "activity") {
    print(
      agent.stack,
      "WorkerPolicyArn",
      "Attach it to the role of workers",
      agent.browser.workerPolicy.managedPolicyArn,
    );
    print(
      agent.stack,
      "StartWorker",
      "Start a worker, on as many machines as you like",
      `rowcall worker --activity-arn ${agent.browser.activityArn}`,
    );
  }
  print(
    batchStack,
    "RunBatches",
    "Have rowcall on your machine run batches here",
    [
      "export ROWCALL_ENGINE=aws",
      `ROWCALL_STATE_MACHINE_ARN=${machine.arn}`,
      `ROWCALL_RUNS_URI=s3://${names.bucket}/${runsPrefix}`,
      `ROWCALL_REGISTRY=${registries.join(":")}`,
    ].join(" "),
  );
  const steps = sevenSteps({
    bucket: names.bucket,
    // Only the original's name is an alias of the agent.
    agent: stage === "prod" ? `${agentName}-prod` : agentName,
    agentMachineArn: agent.machine.arn,
    batchMachineArn: machine.arn,
    topicArn: arnOf("sns", names.topic),
    s3Options: "",
    stepFunctionsOptions: "",
  });
  for (const [index, { title, script }] of steps.entries()) print(batchStack, `Step${index + 1}`, title, script);
}

const templateName = "broadband_availability_bt_wholesale";
