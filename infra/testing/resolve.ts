import type { Template } from "aws-cdk-lib/assertions";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";
import { resolveValue, stateMachinesOf, type ResolveOptions } from "../../test/asl/cloudformation.ts";

const place: ResolveOptions["place"] = { partition: "aws", region: "eu-west-1", account: "123456789012" };

/**
 * Resolves a part of a template as CloudFormation would in account 123456789012 and eu-west-1. What comes from another stack is the
 * name under which that exports it.
 */
export function resolve(template: Template, value: unknown): JsonValue {
  return resolveValue(template.toJSON(), withoutImports(value as JsonValue), { place });
}

function withoutImports(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return (value as JsonValue[]).map(withoutImports);
  if (!isJsonObject(value)) return value;
  const { "Fn::ImportValue": imported } = value;
  if (imported !== undefined) return imported;
  const members = Object.entries(value) as [string, JsonValue][];
  return Object.fromEntries(members.map(([key, each]) => [key, withoutImports(each)]));
}

/** The definition of a template's only state machine. */
export function definitionIn(template: Template): JsonObject {
  const [machine] = stateMachinesOf(template.toJSON(), { place });
  return machine?.definition ?? {};
}
