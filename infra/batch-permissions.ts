import type { BroadbandAgent } from "./broadband-agent-stack.ts";
import type { OwnFunction } from "./lambda-function.ts";
import { arnOf, objectsArn } from "./names.ts";
import { allow } from "./permissions.ts";
import type { Settings } from "./settings.ts";
import type { OwnStateMachine } from "./state-machine.ts";
import { encrypt } from "./storage-access.ts";
import { runsPrefix, type Storage } from "./storage-stack.ts";

/** Allows the batch processor's state machine what its states do, on what batches may name. */
export function allowBatches(
  { name, role }: OwnStateMachine,
  { agentMachines, agentFunctions, topics }: Settings,
  storage: Storage,
  functions: readonly OwnFunction[],
  agent: BroadbandAgent,
): void {
  const states = (resource: string): string => arnOf("states", resource);

  allow(role, "InvokeFunctions", {
    actions: ["lambda:InvokeFunction"],
    resources: functions.map((one) => one.arn),
  });
  allow(role, "InvokeAgents", {
    actions: ["lambda:InvokeFunction"],
    resources: agentFunctions.flatMap((pattern) => [
      arnOf("lambda", `function:${pattern}`),
      arnOf("lambda", `function:${pattern}:*`),
    ]),
    pattern: "Batches name an agent's function, and its version or alias, within what agentFunctions allows.",
  });

  const machines = [agent.machine.name, ...agentMachines];
  allow(role, "StartAgents", {
    actions: ["states:StartExecution"],
    resources: machines.map((machine) => states(`stateMachine:${machine}`)),
    ...(agentMachines.length === 0
      ? {}
      : { pattern: "Batches name an agent's state machine, within what agentMachines allows." }),
  });
  allow(role, "WatchAgents", {
    actions: ["states:DescribeExecution", "states:StopExecution"],
    resources: machines.map((machine) => states(`execution:${machine}:*`)),
    pattern: "An execution has the row and the attempt in its name.",
  });
  allow(role, "HearOfAgents", {
    actions: ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
    resources: [arnOf("events", "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule")],
  });

  // The rows are executions of the machine itself.
  allow(role, "StartRows", { actions: ["states:StartExecution"], resources: [states(`stateMachine:${name}`)] });
  allow(role, "WatchRows", {
    actions: ["states:DescribeExecution", "states:StopExecution"],
    resources: [states(`execution:${name}:*`), states(`execution:${name}/*:*`)],
    pattern: "Step Functions names the executions of rows itself.",
  });
  allow(role, "RedriveRows", {
    actions: ["states:RedriveExecution"],
    resources: [states(`execution:${name}/*:*`)],
    pattern: "Step Functions names the executions of rows itself.",
  });

  allow(role, "ReadRows", {
    actions: ["s3:GetObject"],
    resources: [objectsArn(storage.names.bucket, `${runsPrefix}*`)],
    pattern: "A run's folder has its id for a name.",
  });
  allow(role, "WriteResults", {
    actions: ["s3:PutObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"],
    resources: [objectsArn(storage.names.bucket, `${runsPrefix}*`)],
    pattern: "A run's folder has its id for a name.",
  });
  allow(role, "Encrypt", encrypt(storage));

  allow(role, "Notify", {
    actions: ["sns:Publish"],
    resources: [storage.names.topic, ...topics].map((topic) => arnOf("sns", topic)),
    ...(topics.length === 0 ? {} : { pattern: "Batches name a topic, within what topics allows." }),
  });
}
