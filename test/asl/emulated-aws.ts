import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { startEmulators } from "../../src/cli/sandbox/emulators.ts";
import type { AwsSettings } from "../../src/aws/aws.ts";
import { createAwsClients } from "./aws-clients.ts";

/** Emulated services with a bucket named `bucket`, and a test's own way to them. */
export interface EmulatedAws {
  readonly settings: AwsSettings;
  readonly dynamodb: DynamoDBClient;
  put(key: string, body: string): Promise<void>;
  get(key: string): Promise<string>;
  /** Keys of all objects, sorted. */
  keys(prefix?: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Starts what the integrations reach through the SDK. */
export async function startEmulatedAws(): Promise<EmulatedAws> {
  const region = "eu-west-1";
  const emulators = await startEmulators(region);
  const settings: AwsSettings = {
    region,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    endpoints: { S3: emulators.url, SNS: emulators.url, DYNAMODB: emulators.dynamodbUrl },
  };
  const { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } =
    await import("@aws-sdk/client-s3");
  const clients = createAwsClients(settings, region);
  const s3 = await clients.s3();
  const Bucket = "bucket";
  await s3.send(new CreateBucketCommand({ Bucket }));
  return {
    settings,
    dynamodb: await clients.dynamodb(),
    put: async (Key, Body) => void (await s3.send(new PutObjectCommand({ Bucket, Key, Body }))),
    get: async (Key) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      return (await Body?.transformToString()) ?? "";
    },
    keys: async (Prefix = "") => {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
      return Contents.map(({ Key = "" }) => Key).toSorted();
    },
    close: async () => {
      await clients.close();
      await emulators.close();
    },
  };
}
