/** A context in which every option differs from its default. */
export const everyOption: Readonly<Record<string, string>> = {
  stage: "dev",
  browser: "lambda",
  encryption: "kms",
  retain: "false",
  runsExpiryDays: "60",
  recordingsExpiryDays: "7",
  logRetentionDays: "90",
  functionMemoryMb: "2048",
  browserMemoryMb: "4096",
  workerWaitSeconds: "60",
  workerHeartbeatSeconds: "30",
  agentMachines: "lookup,prices-*",
  agentFunctions: "score-*",
  topics: "team-*",
  buckets: "other-tables",
  // Half of the time; the defaults' synthesis has them.
  "@aws-cdk/core:validateAgainstDefaultRules": "false",
};
