import { emulatedAccount } from "./emulators.ts";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { privateFile } from "../../core/private-modes.ts";
import type { EndpointKeys } from "../../server/stepfunctions/signature.ts";

/** Names of what a sandbox holds: those of the original product's documentation for the stage `prod`. */
export const sandboxNames = {
  stage: "prod",
  region: "eu-west-1",
  account: emulatedAccount,
  /** Of inputs, configs and outputs. */
  bucket: `batch-processor-prod-${emulatedAccount}`,
  recordingsBucket: "browser-agent-recordings-prod",
  topic: "batch-processor-notifications-prod",
  /** Receives what the topic is told. */
  queue: "batch-processor-notifications-prod-inbox",
  agentTable: "AgentRegistry-prod",
  templateTable: "TemplateRegistry-prod",
  batchMachine: "batch-processor-prod",
  /** As batches name it. */
  agent: "broadband-availability-bt-wholesale-prod",
} as const;

/** The ARN of a state machine or an activity of the sandbox. */
export function statesArn(kind: "stateMachine" | "activity", name: string): string {
  return `arn:aws:states:${sandboxNames.region}:${sandboxNames.account}:${kind}:${name}`;
}

/** Where a sandbox's services listen, and what a client needs to know besides. */
export interface SandboxPlaces {
  /** S3, SNS and SQS. */
  readonly awsUrl: string;
  readonly dynamodbUrl: string;
  readonly stepFunctionsUrl: string;
  /** Folder of the journal, and of the AWS profile. */
  readonly dataDirectory: string;
  /** Those of the profile. */
  readonly keys: EndpointKeys;
}

/** The profile that the original product's commands name. */
export const sandboxProfile = "CGI-PoC";

/**
 * Writes an AWS profile for the sandbox and gives the environment in which AWS's and Rowcall's commands reach it and nothing
 * else: `--profile CGI-PoC` works as it stands, and no key of the user's is ever sent anywhere.
 */
export async function createEnvironment({
  awsUrl,
  dynamodbUrl,
  stepFunctionsUrl,
  dataDirectory,
  keys,
}: SandboxPlaces): Promise<Readonly<Record<string, string>>> {
  const { region, recordingsBucket, agentTable, templateTable } = sandboxNames;
  const configFile = join(dataDirectory, "aws-config");
  const credentialsFile = join(dataDirectory, "aws-credentials");
  const services = [
    "[services sandbox]",
    ...Object.entries({ s3: awsUrl, sns: awsUrl, sqs: awsUrl, dynamodb: dynamodbUrl, sfn: stepFunctionsUrl }).flatMap(
      ([service, url]) => [`${service} =`, `  endpoint_url = ${url}`],
    ),
  ];
  const profile = [`region = ${region}`, "services = sandbox", ""];
  const pairs = [`aws_access_key_id = ${keys.accessKeyId}`, `aws_secret_access_key = ${keys.secretAccessKey}`];
  const write = (file: string, lines: readonly string[]): Promise<void> =>
    writeFile(file, lines.join("\n"), { mode: privateFile });
  await write(configFile, ["[default]", ...profile, `[profile ${sandboxProfile}]`, ...profile, ...services, ""]);
  await write(credentialsFile, ["[default]", ...pairs, "", `[${sandboxProfile}]`, ...pairs, ""]);
  return {
    AWS_CONFIG_FILE: configFile,
    AWS_SHARED_CREDENTIALS_FILE: credentialsFile,
    AWS_PROFILE: sandboxProfile,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ENDPOINT_URL: awsUrl,
    AWS_ENDPOINT_URL_S3: awsUrl,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodbUrl,
    AWS_ENDPOINT_URL_SFN: stepFunctionsUrl,
    // Else the AWS command line waits for an answer of a virtual machine's metadata service.
    AWS_EC2_METADATA_DISABLED: "true",
    // A pager would hold up pasted commands.
    AWS_PAGER: "",
    ROWCALL_DATA_DIR: dataDirectory,
    ROWCALL_RECORDINGS: `s3://${recordingsBucket}/`,
    ROWCALL_REGISTRY: `dynamodb:${agentTable}:dynamodb:${templateTable}`,
  };
}

/** Variables of the user's that would lead out of the sandbox, to be taken out of its environment. */
export const leadingOut: readonly string[] = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_ENDPOINT_URL_SNS",
  "AWS_ENDPOINT_URL_SQS",
  "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
];
