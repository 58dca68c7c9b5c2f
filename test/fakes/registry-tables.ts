import { randomUUID } from "node:crypto";
import { after, before } from "node:test";
import { DynamoDB, type KeySchemaElement } from "@aws-sdk/client-dynamodb";
import { startEmulators } from "../../src/cli/sandbox/emulators.ts";
import type { AwsSettings } from "../../src/aws/aws.ts";

/** A DynamoDB of a test's own, and how it is reached. */
export interface TestDynamodb {
  readonly aws: AwsSettings;
  /** For a command line: the same as `aws`. */
  readonly env: Readonly<Record<string, string>>;
  readonly client: DynamoDB;
  /** Makes a table with these attributes as its key, all strings, and returns its name. */
  createTable(...keys: readonly string[]): Promise<string>;
  /** Makes tables of agents and of templates, and returns them as registries. */
  createRegistries(): Promise<readonly [agents: string, templates: string]>;
  close(): Promise<void>;
}

/**
 * Gives a suite an emulated DynamoDB of its own; called at the top of the suite.
 *
 * @param use - receives it before the first test
 */
export function useTestDynamodb(use: (dynamodb: TestDynamodb) => void): void {
  let started: TestDynamodb;
  before(async () => {
    started = await startTestDynamodb();
    use(started);
  });
  after(() => started.close());
}

async function startTestDynamodb(): Promise<TestDynamodb> {
  const emulators = await startEmulators("eu-west-1");
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const aws: AwsSettings = { region: "eu-west-1", credentials, endpoints: { DYNAMODB: emulators.dynamodbUrl } };
  const client = new DynamoDB({ region: "eu-west-1", credentials, endpoint: emulators.dynamodbUrl });
  const createTable = async (...keys: readonly string[]): Promise<string> => {
    const TableName = `Registry-${randomUUID()}`;
    await client.createTable({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      KeySchema: keys.map((AttributeName, i): KeySchemaElement => ({
        AttributeName,
        KeyType: i === 0 ? "HASH" : "RANGE",
      })),
    });
    return TableName;
  };
  return {
    aws,
    env: {
      AWS_REGION: "eu-west-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_ENDPOINT_URL_DYNAMODB: emulators.dynamodbUrl,
    },
    client,
    createTable,
    createRegistries: async () => [
      `dynamodb:${await createTable("agent_name", "version")}`,
      `dynamodb:${await createTable("template_id", "version")}`,
    ],
    close: async () => {
      client.destroy();
      await emulators.close();
    },
  };
}
