import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { listLeftBehind, ownedPrefix } from "../../agents/left-behind.ts";
import { makeDataDirectory } from "../../runs/data-directory.ts";
import { openRegistry } from "../../registry/open-registry.ts";
import { openEngine, wire } from "../../app/wire.ts";
import type { Io } from "../io.ts";
import { startStepFunctionsEndpoint } from "../../server/stepfunctions/start-endpoint.ts";
import { makeEndpointKeys, type EndpointKeys } from "../../server/stepfunctions/signature.ts";
import { createResources } from "./create-resources.ts";
import { startEmulators } from "./emulators.ts";
import { publishAgent, sevenSteps, startReplica } from "./broadband.ts";
import { createEnvironment, leadingOut, sandboxNames as names, statesArn } from "./sandbox-environment.ts";
import type { Step } from "../../engines/aws/seven-steps.ts";
import { startWorkerProcess } from "./worker-process.ts";

/** What a sandbox is started with. */
export interface SandboxOptions {
  readonly io: Pick<Io, "env" | "stderr" | "workingDirectory">;
  /** Rows that the worker has in flight at once. */
  readonly concurrency: number;
  /** Keeps journal and logs. @default a temporary folder that goes with the sandbox */
  readonly dataDirectory?: string;
  /** Modules that the endpoint and the worker may load beside those of the registry. @default none */
  readonly allowedModules?: readonly string[];
}

/** A running sandbox. */
export interface Sandbox {
  /** The whole environment for a command within it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What of it differs from the user's own. */
  readonly exports: Readonly<Record<string, string>>;
  /** What its services know who asks by. */
  readonly keys: EndpointKeys;
  readonly steps: readonly Step[];
  /** Names and addresses, by what they are. */
  readonly facts: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/**
 * Starts everything on free loopback ports and creates what the original product's documentation takes for granted.
 *
 * @throws RowcallError DEPENDENCY_MISSING when the emulators are not installed
 */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { io, concurrency, dataDirectory: kept, allowedModules = [] } = options;
  await using started = new AsyncDisposableStack();
  const dataDirectory = kept === undefined ? await makeOwnFolder() : resolve(io.workingDirectory, kept);
  makeDataDirectory(dataDirectory);
  if (kept === undefined) started.defer(() => rm(dataDirectory, { recursive: true, force: true }));

  // Other users of this machine can connect too.
  const keys = makeEndpointKeys();
  const emulators = await startEmulators(names.region, keys.accessKeyId);
  started.defer(() => emulators.close());
  const replica = await startReplica();
  started.defer(() => replica.close());

  const awsUrls = { AWS_ENDPOINT_URL: emulators.url, AWS_ENDPOINT_URL_DYNAMODB: emulators.dynamodbUrl };
  const outside = Object.fromEntries(Object.entries(io.env).filter(([name]) => !leadingOut.includes(name)));
  const own = { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey, AWS_PROFILE: "" };
  const registries = [`dynamodb:${names.agentTable}`, `dynamodb:${names.templateTable}`];
  const wiring = wire({
    env: { ...outside, ...awsUrls, ...own, AWS_REGION: names.region },
    workingDirectory: io.workingDirectory,
    dataDirectory,
    recordingsPrefix: `s3://${names.recordingsBucket}/`,
    registries,
    stderr: io.stderr,
    allowedModules,
  });
  const { store, registry } = wiring.services;
  const { aws } = wiring.host;
  const { topicArn, queueUrl } = await createResources(aws, keys.accessKeyId);
  // The tables alone: what comes with Rowcall is no reason not to publish there.
  const tables = openRegistry({ store, aws, registries });
  const agent = await publishAgent(registry, tables, `${replica.url}/public/`);

  const engine = await openEngine(wiring);
  started.defer(() => engine.close());
  const endpoint = await startStepFunctionsEndpoint({
    wiring,
    engine,
    keys,
    stage: names.stage,
    account: names.account,
  });
  started.defer(() => endpoint.close());

  const exports = await createEnvironment({
    awsUrl: emulators.url,
    dynamodbUrl: emulators.dynamodbUrl,
    stepFunctionsUrl: endpoint.url,
    dataDirectory,
    keys,
  });
  const env = { ...outside, ...exports };
  const activityArn = statesArn("activity", agent.agent_name);
  const worker = startWorkerProcess({ activityArn, concurrency, env, folder: dataDirectory, allowedModules });
  started.defer(() => worker.close());

  const parts = started.move();
  return {
    env,
    exports,
    keys,
    steps: sevenSteps(topicArn),
    facts: {
      "S3, SNS, SQS": emulators.url,
      DynamoDB: emulators.dynamodbUrl,
      "Step Functions": endpoint.url,
      "checker (replica)": `${replica.url}/public/`,
      bucket: `s3://${names.bucket}/`,
      recordings: `s3://${names.recordingsBucket}/`,
      topic: topicArn,
      "its queue": queueUrl,
      "worker's log": join(dataDirectory, "worker.log"),
    },
    close: () => parts.disposeAsync(),
  };
}

/** A temporary folder; those of sandboxes that were killed go. */
async function makeOwnFolder(): Promise<string> {
  const kind = "rowcall-sandbox";
  const left = await listLeftBehind(tmpdir(), kind);
  await Promise.all(left.map((folder) => rm(folder, { recursive: true, force: true }).catch(() => undefined)));
  return mkdtemp(join(tmpdir(), ownedPrefix(kind)));
}
