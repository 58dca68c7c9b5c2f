import { emulatedAccount } from "./emulators.ts";

/** Names of what a sandbox holds: those of the original product's documentation. */
export interface SandboxNames {
  readonly stage: string;
  readonly region: string;
  readonly account: string;
  /** Of inputs, configs and outputs. */
  readonly bucket: string;
  readonly recordingsBucket: string;
  readonly topic: string;
  /** Receives what the topic is told. */
  readonly queue: string;
  readonly agentTable: string;
  readonly templateTable: string;
  readonly batchMachine: string;
  /** As batches name it. */
  readonly agent: string;
}

/** The names of the stage `prod`. */
export const sandboxNames: SandboxNames = {
  stage: "prod",
  region: "eu-west-1",
  account: emulatedAccount,
  bucket: `batch-processor-prod-${emulatedAccount}`,
  recordingsBucket: "browser-agent-recordings-prod",
  topic: "batch-processor-notifications-prod",
  queue: "batch-processor-notifications-prod-inbox",
  agentTable: "AgentRegistry-prod",
  templateTable: "TemplateRegistry-prod",
  batchMachine: "batch-processor-prod",
  agent: "broadband-availability-bt-wholesale-prod",
};

/** The ARN of a state machine or an activity of the sandbox. */
export function statesArn({ region, account }: SandboxNames, kind: "stateMachine" | "activity", name: string): string {
  return `arn:aws:states:${region}:${account}:${kind}:${name}`;
}
