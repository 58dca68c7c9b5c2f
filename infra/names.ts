import { Aws } from "aws-cdk-lib";

/** The browser agent that is deployed, as the registry names it. */
export const agentName = "broadband-availability-bt-wholesale";

/** Names that people type, of one stage: those of the original product. */
export interface Names {
  readonly bucket: string;
  readonly recordingsBucket: string;
  readonly topic: string;
  readonly alarmTopic: string;
  readonly agentTable: string;
  readonly templateTable: string;
  readonly batchMachine: string;
  readonly agentMachine: string;
  readonly activity: string;
}

/** The names of a stage; buckets' hold the account, which CloudFormation fills in. */
export function namesOf(stage: string): Names {
  const account = Aws.ACCOUNT_ID;
  return {
    bucket: `batch-processor-${stage}-${account}`,
    recordingsBucket: `browser-agent-recordings-${stage}-${account}`,
    topic: `batch-processor-notifications-${stage}`,
    alarmTopic: `batch-processor-alarms-${stage}`,
    agentTable: `AgentRegistry-${stage}`,
    templateTable: `TemplateRegistry-${stage}`,
    batchMachine: `batch-processor-${stage}`,
    agentMachine: `${agentName}-${stage}`,
    activity: `${agentName}-${stage}`,
  };
}

/**
 * The ARN of something in this account and region by its name, which may be a pattern.
 *
 * @param resource - what follows the account, with its colon: `stateMachine:name`
 */
export function arnOf(service: string, resource: string): string {
  return `arn:${Aws.PARTITION}:${service}:${Aws.REGION}:${Aws.ACCOUNT_ID}:${resource}`;
}

/**
 * The ARN of a bucket's objects.
 *
 * @param keys - pattern of their keys
 */
export function objectsArn(bucketName: string, keys: string): string {
  return `arn:${Aws.PARTITION}:s3:::${bucketName}/${keys}`;
}
