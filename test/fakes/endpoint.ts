import { createHash, createHmac } from "node:crypto";
import { SFNClient, type SFNClientConfig } from "@aws-sdk/client-sfn";
import {
  startStepFunctionsEndpoint,
  type EndpointOptions,
  type RunningEndpoint,
} from "../../src/server/stepfunctions/start-endpoint.ts";
import { openEngine, wire } from "../../src/app/wire.ts";
import type { Workspace } from "./workspace.ts";

/** An endpoint over a workspace, and the AWS SDK that talks to it. */
export interface TestEndpoint extends RunningEndpoint {
  readonly client: SFNClient;
  /** `arn:aws:states:eu-west-1:123456789012:`. */
  readonly prefix: string;
  /** One request as it is sent, signed. */
  post(operation: string, body: object): Promise<Response>;
  /** Another client, such as one with other keys. */
  connect(config?: SFNClientConfig): SFNClient;
}

/** The keys that test clients sign with. */
export const testKeys = { accessKeyId: "AKIATEST", secretAccessKey: "not a secret" };

/** Starts an endpoint over a workspace's registry and data directory. */
export async function openTestEndpoint(
  { folder }: Workspace,
  options: Partial<Omit<EndpointOptions, "keys">> & { readonly keys?: EndpointOptions["keys"] | undefined } = {},
  env: Readonly<Record<string, string>> = {},
): Promise<TestEndpoint> {
  const { keys: _, ...others } = options;
  const wiring = wire({ env, workingDirectory: folder, allowedModules: [] });
  const engine = await openEngine(wiring);
  const clients: SFNClient[] = [];
  try {
    const endpoint = await startStepFunctionsEndpoint({
      wiring,
      engine,
      ...others,
      ...keysOf("keys" in options ? options.keys : testKeys),
    });
    const connect = (config: SFNClientConfig = {}): SFNClient => {
      const client = new SFNClient({
        endpoint: endpoint.url,
        region: endpoint.region,
        credentials: testKeys,
        maxAttempts: 1,
        ...config,
      });
      clients.push(client);
      return client;
    };
    return {
      ...endpoint,
      client: connect(),
      post: (operation, body) => post(endpoint, operation, JSON.stringify(body)),
      connect,
      prefix: endpoint.batchMachineArn.replace(/stateMachine:.*/, ""),
      close: async () => {
        for (const client of clients) client.destroy();
        await endpoint.close();
        await engine.close();
      },
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

async function post({ url, region, keys }: RunningEndpoint, operation: string, body: string): Promise<Response> {
  const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
  const at = `${new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
  const scope = `${at.slice(0, 8)}/${region}/states/aws4_request`;
  const headers = { host: new URL(url).host, "x-amz-date": at, "x-amz-target": `AWSStepFunctions.${operation}` };
  const names = Object.keys(headers).join(";");
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const canonical = ["POST", "/", "", lines.join(""), names, hash(body)].join("\n");
  const key = scope
    .split("/")
    .reduce<string | Buffer>((before, part) => hmac(before, part), `AWS4${keys.secretAccessKey}`);
  const signature = hmac(key, ["AWS4-HMAC-SHA256", at, scope, hash(canonical)].join("\n")).toString("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return fetch(url, { method: "POST", headers: { ...headers, authorization }, body });
}

function keysOf(keys: EndpointOptions["keys"]): Pick<EndpointOptions, "keys"> {
  return keys === undefined ? {} : { keys };
}
