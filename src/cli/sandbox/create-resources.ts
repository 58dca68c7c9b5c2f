import { awsClientConfig, type AwsSettings } from "../../aws/aws.ts";
import { sandboxNames } from "./sandbox-environment.ts";

const { bucket, recordingsBucket, topic, queue, agentTable, templateTable } = sandboxNames;

/** What a client must know of the resources besides their names. */
export interface Resources {
  readonly topicArn: string;
  readonly queueUrl: string;
}

/**
 * Creates buckets, the topic with a queue subscribed to it, and the tables of the registry.
 *
 * @param keyId - the access key that the emulators know
 */
export async function createResources(aws: AwsSettings, keyId = "any"): Promise<Resources> {
  const [told] = await Promise.all([createTopic(aws, keyId), createBuckets(aws), createTables(aws)]);
  return told;
}

async function createBuckets(aws: AwsSettings): Promise<void> {
  const { CreateBucketCommand, S3Client } = await import("@aws-sdk/client-s3");
  const client = new S3Client({ ...awsClientConfig(aws, "S3"), forcePathStyle: true });
  for (const name of [bucket, recordingsBucket]) await client.send(new CreateBucketCommand({ Bucket: name }));
  client.destroy();
}

async function createTopic(aws: AwsSettings, keyId: string): Promise<Resources> {
  const { CreateTopicCommand, SNSClient, SubscribeCommand } = await import("@aws-sdk/client-sns");
  const client = new SNSClient(awsClientConfig(aws, "SNS"));
  const { TopicArn: topicArn = "" } = await client.send(new CreateTopicCommand({ Name: topic }));
  const queueUrl = await createQueue(aws.endpoints.SNS ?? "", queue, keyId);
  const queueArn = topicArn.replace(":sns:", ":sqs:").replace(topic, queue);
  await client.send(new SubscribeCommand({ TopicArn: topicArn, Protocol: "sqs", Endpoint: queueArn }));
  client.destroy();
  return { topicArn, queueUrl };
}

// The one call of SQS there is: not worth its SDK.
async function createQueue(url: string, name: string, keyId: string): Promise<string> {
  const answer = await fetch(url, {
    method: "POST",
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=${keyId}/`,
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": "AmazonSQS.CreateQueue",
    },
    body: JSON.stringify({ QueueName: name }),
  });
  const { QueueUrl: queueUrl = "" } = (await answer.json()) as { readonly QueueUrl?: string };
  // Its host is one that only AWS has.
  return new URL(new URL(queueUrl).pathname, url).href;
}

async function createTables(aws: AwsSettings): Promise<void> {
  const { CreateTableCommand, DynamoDBClient } = await import("@aws-sdk/client-dynamodb");
  const client = new DynamoDBClient(awsClientConfig(aws, "DYNAMODB"));
  for (const [name, hashKey] of [
    [agentTable, "agent_name"],
    [templateTable, "template_id"],
  ] as const) {
    await client.send(
      new CreateTableCommand({
        TableName: name,
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [hashKey, "version"].map((key) => ({ AttributeName: key, AttributeType: "S" as const })),
        KeySchema: [
          { AttributeName: hashKey, KeyType: "HASH" },
          { AttributeName: "version", KeyType: "RANGE" },
        ],
      }),
    );
  }
  client.destroy();
}
