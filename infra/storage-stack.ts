import { Duration, RemovalPolicy, Stack, Validations, type StackProps } from "aws-cdk-lib";
import { AttributeType, BillingMode, Table, TableEncryption } from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { BlockPublicAccess, Bucket, BucketEncryption, type LifecycleRule } from "aws-cdk-lib/aws-s3";
import { Topic } from "aws-cdk-lib/aws-sns";
import type { Construct } from "constructs";
import { namesOf, type Names } from "./names.ts";
import type { Settings } from "./settings.ts";

/** What outlives runs: buckets of data and of recordings, the registry, and the topics. */
export interface Storage {
  readonly stack: Stack;
  /** Everything is known by its name, so that no stack holds on to another one's exports. */
  readonly names: Names;
  /** Encrypts everything; undefined where AWS's own keys do. */
  readonly key: Key | undefined;
}

/** Where runs put what they work with, within the bucket. */
export const runsPrefix = "runs/";

/** Creates buckets, tables and topics. */
export function createStorage(scope: Construct, settings: Settings, props: StackProps): Storage {
  const stack = new Stack(scope, "Storage", props);
  const names = namesOf(settings.stage);
  const key = settings.encryption === "kms" ? createKey(stack, settings) : undefined;
  createBucket(stack, "Data", names.bucket, settings, key, [
    { id: "runs", prefix: runsPrefix, expiration: Duration.days(settings.runsExpiryDays) },
  ]);
  createBucket(stack, "Recordings", names.recordingsBucket, settings, key, [
    { id: "recordings", expiration: Duration.days(settings.recordingsExpiryDays) },
  ]);
  createTable(stack, "Agents", names.agentTable, "agent_name", settings, key);
  createTable(stack, "Templates", names.templateTable, "template_id", settings, key);
  createTopic(stack, "Notifications", names.topic, key);
  createAlarmTopic(stack, names.alarmTopic, key);
  return { stack, names, key };
}

function createKey(stack: Stack, { stage, retain }: Settings): Key {
  const key = new Key(stack, "Key", {
    alias: `rowcall-${stage}`,
    description: `Data of the batch processor ${stage}`,
    enableKeyRotation: true,
    pendingWindow: Duration.days(7),
    // Without its key, what is retained could not be read.
    removalPolicy: retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  });
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: "AlarmsPublish",
      principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
      actions: ["kms:Decrypt", "kms:GenerateDataKey*"],
      resources: ["*"],
      conditions: { StringEquals: { "aws:SourceAccount": stack.account } },
    }),
  );
  return key;
}

function createBucket(
  stack: Stack,
  id: string,
  bucketName: string,
  { retain }: Settings,
  key: Key | undefined,
  rules: readonly LifecycleRule[],
): void {
  const bucket = new Bucket(stack, id, {
    bucketName,
    versioned: true,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    ...(key === undefined
      ? { encryption: BucketEncryption.S3_MANAGED }
      : { encryption: BucketEncryption.KMS, encryptionKey: key, bucketKeyEnabled: true }),
    lifecycleRules: [
      { id: "unfinished-uploads", abortIncompleteMultipartUploadAfter: Duration.days(7) },
      {
        id: "earlier-versions",
        noncurrentVersionExpiration: Duration.days(30),
        // A rule of its own that expires objects removes the markers by itself.
        ...(rules.some(({ prefix }) => prefix === undefined) ? {} : { expiredObjectDeleteMarker: true }),
      },
      ...rules,
    ],
    ...(retain
      ? { removalPolicy: RemovalPolicy.RETAIN }
      : { removalPolicy: RemovalPolicy.DESTROY, autoDeleteObjects: true }),
  });
  Validations.of(bucket).acknowledge({
    id: "AwsSolutions::AwsSolutions-S1",
    reason:
      "Who reads objects is for the account's CloudTrail data events to say; a bucket of access logs would need the same care again.",
  });
}

function createTable(
  stack: Stack,
  id: string,
  tableName: string,
  hashKey: string,
  { retain }: Settings,
  key: Key | undefined,
): void {
  new Table(stack, id, {
    tableName,
    partitionKey: { name: hashKey, type: AttributeType.STRING },
    sortKey: { name: "version", type: AttributeType.STRING },
    billingMode: BillingMode.PAY_PER_REQUEST,
    ...(key === undefined
      ? { encryption: TableEncryption.DEFAULT }
      : { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: key }),
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: retain,
    removalPolicy: retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  });
}

function createTopic(stack: Stack, id: string, topicName: string, key: Key | undefined): Topic {
  // Of AWS's own keys, none lets alarms publish to an encrypted topic.
  return new Topic(stack, id, { topicName, enforceSSL: true, ...(key === undefined ? {} : { masterKey: key }) });
}

function createAlarmTopic(stack: Stack, topicName: string, key: Key | undefined): void {
  const topic = createTopic(stack, "Alarms", topicName, key);
  topic.addToResourcePolicy(
    new PolicyStatement({
      sid: "AlarmsPublish",
      principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
      actions: ["sns:Publish"],
      resources: [topic.topicArn],
      conditions: { StringEquals: { "aws:SourceAccount": stack.account } },
    }),
  );
}
