import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InvokeContext } from "../../src/core/agent.ts";
import type { Notification } from "../../src/core/channel.ts";
import type { Engine } from "../../src/core/engine.ts";
import { RowcallError } from "../../src/core/errors.ts";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import type { Services } from "../../src/core/services.ts";
import { openAwsEngine } from "../../src/engines/aws/aws-engine.ts";
import { batchDefinition } from "../../src/engines/aws/batch-definition.ts";
import type { FinishEvent } from "../../src/engines/aws/finish.ts";
import type { PrepareEvent } from "../../src/engines/aws/prepare.ts";
import { byCode } from "../../src/lambda/by-code.ts";
import { finish } from "../../src/lambda/finish.ts";
import { functionSetup } from "../../src/lambda/function-setup.ts";
import { prepare } from "../../src/lambda/prepare.ts";
import { openStepFunctions } from "../../src/aws/step-functions.ts";
import { createResources } from "../../src/cli/sandbox/create-resources.ts";
import { startEmulators } from "../../src/cli/sandbox/emulators.ts";
import { sandboxNames } from "../../src/cli/sandbox/sandbox-environment.ts";
import { wire } from "../../src/app/wire.ts";
import type { EngineHarness } from "../contracts/engine-harness.ts";
import { createScaledTime } from "./scaled-time.ts";
import { echoAgent, type TestInvoke } from "./services.ts";
import { startInterpretedEndpoint, type InterpretedEndpoint } from "./interpreted-endpoint.ts";

/** AWS as a batch processor needs it: S3, SNS, DynamoDB and a registry with the agent `echo`. */
export interface AwsPlace {
  /** How functions and clients reach it. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** A batch processor on emulated AWS, its state machine run by the interpreter behind our own endpoint. */
export interface AwsHarness extends EngineHarness {
  readonly endpoint: InterpretedEndpoint;
  /** How the machine of this test, its region and its runs are told to a command line. */
  readonly env: Readonly<Record<string, string>>;
  readonly services: Services;
  /** `s3://bucket`. */
  readonly bucketUri: string;
  readonly directory: string;
}

const { bucket, recordingsBucket, agentTable, templateTable } = sandboxNames;
const machine = "batch-processor-test";
const account = "arn:aws:states:eu-west-1:123456789012:";

/** Starts the services, once for many tests. */
export async function startAwsPlace(): Promise<AwsPlace> {
  const emulators = await startEmulators("eu-west-1");
  const env = {
    AWS_REGION: "eu-west-1",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_ENDPOINT_URL_S3: emulators.url,
    AWS_ENDPOINT_URL_SNS: emulators.url,
    AWS_ENDPOINT_URL_DYNAMODB: emulators.dynamodbUrl,
    RECORDINGS_URI: `s3://${recordingsBucket}`,
    AGENT_TABLE: agentTable,
    TEMPLATE_TABLE: templateTable,
  };
  const { services, host } = functionSetup({ ...env, RUNS_URI: "s3://none" });
  await createResources(host.aws);
  await services.registry.agents.publish({
    ...echoAgent,
    kind: "stepfunctions",
    config: { state_machine_arn: `${account}stateMachine:echo` },
  });
  await services.registry.agents.publish({
    ...echoAgent,
    agent_name: "echo-function",
    kind: "lambda",
    config: { function: "agent" },
  });
  return { env, close: () => emulators.close() };
}

/** Opens an engine over a state machine of its own. */
export async function openAwsHarness(place: AwsPlace, invoke: TestInvoke): Promise<AwsHarness> {
  const directory = await mkdtemp(join(tmpdir(), "rowcall-aws-engine-"));
  const runsUri = `s3://${bucket}/runs-${directory.slice(-6)}/`;
  const time = createScaledTime(50);
  const told: Notification[] = [];
  let deaf = false;
  const openChannel: Services["openChannel"] = async (address) => {
    if (address !== "test:") throw new RowcallError("CHANNEL_UNKNOWN", `No channel ${address}`);
    return {
      notify: async (notification) => {
        if (deaf) throw new RowcallError("CHANNEL_FAILED", "Nobody answers", { hint: "Wait for somebody." });
        told.push(notification);
      },
    };
  };
  await mkdir(join(directory, "work"));
  const deployed = functionSetup({ ...place.env, RUNS_URI: runsUri });
  const setup = {
    ...deployed,
    workDirectory: join(directory, "work"),
    services: { ...deployed.services, openChannel, clock: time.clock, monotonic: time.clock },
  };
  const agent = (payload: JsonValue, signal: AbortSignal): Promise<JsonValue> =>
    invoke(payload as JsonObject, { signal } as InvokeContext);
  const endpoint = await startInterpretedEndpoint({
    directory,
    ...time,
    machines: {
      [machine]: batchDefinition({
        partition: "aws",
        prepareArn: "prepare",
        finishArn: "finish",
        defaultTopicArn: "arn:aws:sns:eu-west-1:123456789012:none",
      }),
      echo: agentMachine,
    },
    mapLabel: "ProcessRows",
    lambdas: {
      prepare: byCode((event: PrepareEvent) => prepare(setup, event, undefined)) as never,
      finish: byCode((event: FinishEvent) => finish(setup, event)) as never,
      agent,
      "agent-by-code": (payload, signal) => byCode(() => agent(payload, signal))(undefined),
    },
    aws: setup.host.aws,
  });
  const env = { ...place.env, AWS_ENDPOINT_URL_SFN: endpoint.url };
  const { services: wired, host } = wire({
    env,
    workingDirectory: directory,
    registries: [`dynamodb:${agentTable}`],
  });
  const services: Services = { ...wired, openChannel, clock: time.clock, monotonic: time.clock };
  const stateMachineArn = `${account}stateMachine:${machine}`;
  const open = async (): Promise<Engine> =>
    openAwsEngine({
      services,
      sfn: await openStepFunctions(host.aws, stateMachineArn),
      runsUri,
      dataDirectory: join(directory, "data"),
      wait: time.wait,
    });
  const engines = [await open(), await open(), await open()] as const;
  return {
    engine: engines[0],
    reopen: () => engines[1],
    told,
    setDeaf: (now) => void (deaf = now),
    writeInput: async (text) => {
      await writeFile(join(directory, "input.csv"), text);
      return join(directory, "input.csv");
    },
    read: async (uri) =>
      uri.startsWith("s3:")
        ? Buffer.concat(await Array.fromAsync(services.store.read(uri))).toString("utf8")
        : readFile(uri.replace(/^file:\/\//, ""), "utf8"),
    outputPrefix: `${join(directory, "out")}/`,
    endpoint,
    env: { ...env, ROWCALL_STATE_MACHINE_ARN: stateMachineArn, ROWCALL_RUNS_URI: runsUri },
    services,
    bucketUri: `s3://${bucket}`,
    directory,
    close: async () => {
      for (const engine of engines) await engine.close();
      await endpoint.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

// As an agent's own state machine is: it fails with our code as its error.
const agentMachine: JsonObject = {
  QueryLanguage: "JSONata",
  StartAt: "Invoke",
  States: {
    Invoke: {
      Type: "Task",
      Resource: "arn:aws:states:::lambda:invoke",
      Arguments: { FunctionName: "agent-by-code", Payload: "{% $states.input %}" },
      Output: "{% $states.result.Payload %}",
      Catch: [
        {
          ErrorEquals: ["States.ALL"],
          Output: {
            error: "{% $states.errorOutput.Error %}",
            cause: "{% $parse($states.errorOutput.Cause).errorMessage %}",
          },
          Next: "Failed",
        },
      ],
      End: true,
    },
    Failed: { Type: "Fail", Error: "{% $states.input.error %}", Cause: "{% $states.input.cause %}" },
  },
};
