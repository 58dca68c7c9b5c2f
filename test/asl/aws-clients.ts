import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { S3Client } from "@aws-sdk/client-s3";
import type { SNSClient } from "@aws-sdk/client-sns";
import { awsClientConfig, type AwsSettings } from "../../src/aws/aws.ts";

/** The SDK's clients, each made when it is first used. */
export interface AwsClients {
  s3(): Promise<S3Client>;
  sns(): Promise<SNSClient>;
  dynamodb(): Promise<DynamoDBClient>;
  close(): Promise<void>;
}

/** @param settings - where S3, SNS and DynamoDB are; undefined where a test has none of them */
export function createAwsClients(settings: AwsSettings | undefined, region: string): AwsClients {
  const made: Promise<{ destroy(): void }>[] = [];
  const once = <T extends { destroy(): void }>(make: (settings: AwsSettings) => Promise<T>): (() => Promise<T>) => {
    let client: Promise<T> | undefined;
    return () => {
      if (settings === undefined) throw new Error("The interpreter was given no `aws` settings");
      if (client === undefined) made.push((client = make(settings)));
      return client;
    };
  };
  return {
    s3: once(async (settings) => {
      const { S3Client } = await import("@aws-sdk/client-s3");
      return new S3Client({ ...awsClientConfig(settings, "S3", region), forcePathStyle: true });
    }),
    sns: once(async (settings) => {
      const { SNSClient } = await import("@aws-sdk/client-sns");
      return new SNSClient(awsClientConfig(settings, "SNS", region));
    }),
    dynamodb: once(async (settings) => {
      const { DynamoDBClient } = await import("@aws-sdk/client-dynamodb");
      return new DynamoDBClient(awsClientConfig(settings, "DYNAMODB", region));
    }),
    close: async () => {
      for (const client of await Promise.all(made)) client.destroy();
    },
  };
}
