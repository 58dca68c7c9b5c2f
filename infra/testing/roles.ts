import type { Template } from "aws-cdk-lib/assertions";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { resolve } from "./resolve.ts";

/** One permission that a role has. */
export interface Allowed {
  readonly action: string;
  readonly resource: string;
}

/** Everything that each role of a template, and each managed policy, may do; by logical id without CloudFormation's suffix. */
export function permissionsIn(template: Template): ReadonlyMap<string, readonly Allowed[]> {
  const found = new Map<string, Allowed[]>();
  const add = (owner: string, document: unknown): void => {
    const name = owner.replace(/[0-9A-F]{8}$/, "");
    const { Statement: statements } = resolve(template, document) as unknown as {
      readonly Statement: readonly Statement[];
    };
    const all = statements.flatMap(({ Effect, Action, Resource }) => {
      if (Effect !== "Allow") throw new Error(`${name} has a statement that does not allow`);
      return listOf(Action).flatMap((action) => listOf(Resource).map((resource) => ({ action, resource })));
    });
    found.set(name, [...(found.get(name) ?? []), ...all]);
  };
  for (const { Properties: policy } of resourcesOf(template, "AWS::IAM::Policy"))
    for (const role of policy["Roles"] as readonly JsonObject[]) add(String(role["Ref"]), policy["PolicyDocument"]);
  for (const [id, policy] of Object.entries(template.findResources("AWS::IAM::ManagedPolicy")))
    add(id, (policy as { readonly Properties: JsonObject }).Properties["PolicyDocument"]);
  for (const [id, role] of Object.entries(template.findResources("AWS::IAM::Role"))) {
    const { Policies: own, ManagedPolicyArns: managed } = (role as { readonly Properties: JsonObject }).Properties;
    if (own !== undefined || managed !== undefined) throw new Error(`${id} has policies besides those of its own`);
  }
  return found;
}

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
}

function resourcesOf(template: Template, type: string): readonly { readonly Properties: JsonObject }[] {
  return Object.values(template.findResources(type)) as { readonly Properties: JsonObject }[];
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === "string" ? [value] : value;
}

/** Whether an ARN is named by one of a policy's resources. */
export function covers(resource: string, arn: string): boolean {
  const pattern = resource.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  return new RegExp(`^${pattern}$`).test(arn);
}

/** A value's texts, wherever they are. */
export function textsIn(value: JsonValue | undefined): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value as Record<string, JsonValue>).flatMap(textsIn);
}
