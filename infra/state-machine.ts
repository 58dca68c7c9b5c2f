import { RemovalPolicy, Stack } from "aws-cdk-lib";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { CfnStateMachine } from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import type { Definition } from "../src/engines/aws/row-definition.ts";
import { arnOf } from "./names.ts";
import { allow } from "./permissions.ts";
import type { Settings } from "./settings.ts";

/** A state machine with a role and a log group of its own. */
export interface OwnStateMachine {
  readonly arn: string;
  readonly name: string;
  readonly role: Role;
}

/**
 * Creates a state machine whose definition is, to the letter, what a function of `src/engines/aws/` gives; no construct of the CDK
 * writes any of it, so what is tested is what is deployed.
 */
export function createStateMachine(
  scope: Construct,
  id: string,
  { logRetentionDays }: Settings,
  name: string,
  definition: Definition,
): OwnStateMachine {
  const stack = Stack.of(scope);
  const arn = arnOf("states", `stateMachine:${name}`);
  // With the asterisk also for the machine's map runs.
  const role = new Role(scope, `${id}Role`, {
    assumedBy: new ServicePrincipal("states.amazonaws.com", {
      conditions: { StringEquals: { "aws:SourceAccount": stack.account }, ArnLike: { "aws:SourceArn": `${arn}*` } },
    }),
  });
  // Groups of this prefix share one resource policy, which has a limit of length.
  const logGroup = new LogGroup(scope, `${id}Log`, {
    logGroupName: `/aws/vendedlogs/states/${name}`,
    retention: logRetentionDays,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  allow(role, "DeliverLog", {
    actions: [
      "logs:CreateLogDelivery",
      "logs:GetLogDelivery",
      "logs:UpdateLogDelivery",
      "logs:DeleteLogDelivery",
      "logs:ListLogDeliveries",
      "logs:PutResourcePolicy",
      "logs:DescribeResourcePolicies",
      "logs:DescribeLogGroups",
    ],
    resources: ["*"],
    pattern: "Deliveries of logs have no resources to name.",
  });
  allow(role, "Trace", {
    actions: ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"],
    resources: ["*"],
    pattern: "X-Ray has no resources to name.",
  });
  const machine = new CfnStateMachine(scope, id, {
    stateMachineName: name,
    stateMachineType: "STANDARD",
    roleArn: role.roleArn,
    definitionString: stack.toJsonString(definition),
    loggingConfiguration: {
      level: "ALL",
      includeExecutionData: false,
      destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: logGroup.logGroupArn } }],
    },
    tracingConfiguration: { enabled: true },
  });
  // With its policies: a machine that starts before them would be refused.
  machine.node.addDependency(role);
  return { arn, name, role };
}
