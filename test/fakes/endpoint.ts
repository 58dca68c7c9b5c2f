import { SFNClient, type SFNClientConfig } from "@aws-sdk/client-sfn";
import {
  startStepFunctionsEndpoint,
  type EndpointOptions,
  type RunningEndpoint,
} from "../../src/cli/serve/start-endpoint.ts";
import { openEngine, wire } from "../../src/wire.ts";
import type { Workspace } from "./workspace.ts";

/** An endpoint over a workspace, and the AWS SDK that talks to it. */
export interface TestEndpoint extends RunningEndpoint {
  readonly client: SFNClient;
  /** `arn:aws:states:eu-west-1:123456789012:`. */
  readonly prefix: string;
  /** Another client, such as one with other keys. */
  connect(config?: SFNClientConfig): SFNClient;
}

/** The keys that test clients sign with. */
export const testKeys = { accessKeyId: "AKIATEST", secretAccessKey: "not a secret" };

/** Starts an endpoint over a workspace's registry and data directory. */
export async function openTestEndpoint(
  { folder }: Workspace,
  options: Partial<EndpointOptions> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<TestEndpoint> {
  const wiring = wire({ env, workingDirectory: folder });
  const engine = await openEngine(wiring);
  const clients: SFNClient[] = [];
  try {
    const endpoint = await startStepFunctionsEndpoint({ wiring, engine, ...options });
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
