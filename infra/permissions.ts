import { Aws, Validations } from "aws-cdk-lib";
import { Policy, PolicyStatement, type ManagedPolicy, type Role } from "aws-cdk-lib/aws-iam";

/** What a role may do with something. */
export interface Permission {
  readonly actions: readonly string[];
  /** ARNs; those with an asterisk need a reason. */
  readonly resources: readonly string[];
  /** Why resources are named by a pattern. */
  readonly pattern?: string;
}

/** Allows a role something, as a policy of its own; nothing when there are no resources. */
export function allow(role: Role, id: string, permission: Permission): void {
  if (permission.resources.length === 0) return;
  const policy = new Policy(role, id, { roles: [role], statements: [statementOf(permission)] });
  acknowledgePatterns(policy, permission);
}

/** A permission as a statement. */
export function statementOf({ actions, resources }: Permission): PolicyStatement {
  return new PolicyStatement({ actions: [...actions], resources: [...resources] });
}

/** Notes for cdk-nag why a policy names resources by patterns; it goes by pattern, so others that come in later are found. */
export function acknowledgePatterns(policy: Policy | ManagedPolicy, { resources, pattern = "" }: Permission): void {
  for (const resource of resources.filter((arn) => arn.includes("*"))) {
    Validations.of(policy).acknowledge({
      id: `AwsSolutions::AwsSolutions-IAM5[Resource::${asNagWrites(resource)}]`,
      reason: pattern,
    });
  }
}

function asNagWrites(arn: string): string {
  return arn
    .replace(Aws.PARTITION, "<AWS::Partition>")
    .replace(Aws.REGION, "<AWS::Region>")
    .replace(Aws.ACCOUNT_ID, "<AWS::AccountId>");
}
