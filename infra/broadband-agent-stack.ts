import { Duration, Stack, type StackProps } from "aws-cdk-lib";
import { ManagedPolicy } from "aws-cdk-lib/aws-iam";
import { Architecture } from "aws-cdk-lib/aws-lambda";
import { CfnActivity } from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import { agentDefinition, type BrowserHost } from "../src/engines/aws/agent-definition.ts";
import { browserPackages } from "./bundle.ts";
import type { Entries } from "./entries.ts";
import { createFunction, longestTimeout, type OwnFunction } from "./lambda-function.ts";
import { agentName, arnOf } from "./names.ts";
import { acknowledgePatterns, allow, statementOf, type Permission } from "./permissions.ts";
import type { Settings } from "./settings.ts";
import { createStateMachine, type OwnStateMachine } from "./state-machine.ts";
import { decrypt, encrypt, putRecordings, readRegistry, recordingsUri } from "./storage-access.ts";
import type { Storage } from "./storage-stack.ts";

/** A browser agent as a state machine that a batch starts once for every row. */
export interface BroadbandAgent {
  readonly stack: Stack;
  readonly machine: OwnStateMachine;
  readonly resolve: OwnFunction;
  readonly browser:
    | { readonly kind: "activity"; readonly activityArn: string; readonly workerPolicy: ManagedPolicy }
    | { readonly kind: "function"; readonly run: OwnFunction };
}

/** Creates the agent's state machine, and what its attempts are made by. */
export function createBroadbandAgent(
  scope: Construct,
  settings: Settings,
  entries: Entries,
  storage: Storage,
  props: StackProps,
): BroadbandAgent {
  const stack = new Stack(scope, "BroadbandAgent", props);
  stack.addStackDependency(storage.stack);
  const { names } = storage;
  const resolve = createResolveAgent(stack, settings, entries, storage);
  const browser =
    settings.browser === "activity"
      ? createActivity(stack, storage)
      : createBrowserFunction(stack, settings, entries, storage);
  const host: BrowserHost =
    browser.kind === "activity"
      ? { kind: "activity", activityArn: browser.activityArn, heartbeatSeconds: settings.workerHeartbeatSeconds }
      : { kind: "function", functionArn: browser.run.arn };
  const machine = createStateMachine(
    stack,
    "Machine",
    settings,
    names.agentMachine,
    agentDefinition({
      partition: stack.partition,
      agent: agentName,
      resolveArn: resolve.arn,
      host,
    }),
  );
  allow(machine.role, "InvokeFunctions", {
    actions: ["lambda:InvokeFunction"],
    resources: [resolve.arn, ...(browser.kind === "function" ? [browser.run.arn] : [])],
  });
  return { stack, machine, resolve, browser };
}

function createResolveAgent(stack: Stack, settings: Settings, entries: Entries, storage: Storage): OwnFunction {
  const { names } = storage;
  const resolve = createFunction(stack, "ResolveAgent", settings, {
    functionName: `${names.agentMachine}-resolve`,
    description: "Looks an agent and its templates up for an execution that no batch started",
    entry: entries.resolveAgent,
    memoryMb: 512,
    timeout: Duration.seconds(30),
    environment: {
      AGENT_TABLE: names.agentTable,
      TEMPLATE_TABLE: names.templateTable,
      RECORDINGS_URI: recordingsUri(storage),
    },
  });
  allow(resolve.role, "ReadRegistry", readRegistry(storage));
  allow(resolve.role, "Decrypt", decrypt(storage));
  return resolve;
}

function createActivity(stack: Stack, storage: Storage): BroadbandAgent["browser"] & { readonly kind: "activity" } {
  new CfnActivity(stack, "Activity", { name: storage.names.activity });
  const activityArn = arnOf("states", `activity:${storage.names.activity}`);
  const permissions = [workTasks(activityArn), putRecordings(storage), encrypt(storage)].filter(
    ({ resources }) => resources.length > 0,
  );
  const workerPolicy = new ManagedPolicy(stack, "WorkerPolicy", {
    managedPolicyName: `${storage.names.activity}-worker`,
    description: "What a worker needs: to fetch and answer tasks, and to leave recordings",
    statements: permissions.map(statementOf),
  });
  for (const permission of permissions) acknowledgePatterns(workerPolicy, permission);
  return { kind: "activity", activityArn, workerPolicy };
}

function createBrowserFunction(
  stack: Stack,
  settings: Settings,
  entries: Entries,
  storage: Storage,
): BroadbandAgent["browser"] & { readonly kind: "function" } {
  const run = createFunction(stack, "RunBrowser", settings, {
    functionName: `${storage.names.agentMachine}-browser`,
    description: "Makes one attempt of a browser agent",
    entry: entries.browserAgent,
    packages: browserPackages,
    // The only one that the browser's package has a browser for.
    architecture: Architecture.X86_64,
    memoryMb: settings.browserMemoryMb,
    // The unpacked browser takes 250 MB, videos the rest.
    scratchMb: 2048,
    timeout: longestTimeout,
    // Lambda's home folder cannot be written.
    environment: { RECORDINGS_URI: recordingsUri(storage), XDG_CACHE_HOME: "/tmp" },
  });
  allow(run.role, "PutRecordings", putRecordings(storage));
  allow(run.role, "Encrypt", encrypt(storage));
  return { kind: "function", run };
}

function workTasks(activityArn: string): Permission {
  return {
    actions: ["states:GetActivityTask", "states:SendTaskSuccess", "states:SendTaskFailure", "states:SendTaskHeartbeat"],
    resources: [activityArn],
  };
}
