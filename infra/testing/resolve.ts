import type { Template } from "aws-cdk-lib/assertions";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";

const pseudo: Readonly<Record<string, string>> = {
  "AWS::Partition": "aws",
  "AWS::Region": "eu-west-1",
  "AWS::AccountId": "123456789012",
  "AWS::URLSuffix": "amazonaws.com",
};

/**
 * Resolves a part of a template as CloudFormation would in account 123456789012 and eu-west-1. Resources get their ARN or, where
 * CloudFormation makes one up, their logical id.
 *
 * @throws Error for what our templates have no use for
 */
export function resolve(template: Template, value: unknown): JsonValue {
  const { Resources: resources } = template.toJSON() as { readonly Resources: Readonly<Record<string, JsonObject>> };

  const arnOf = (logicalId: string): string => {
    const { Type: type, Properties: properties = {} } = resources[logicalId] ?? {};
    const property = (name: string): string => String(resolved((properties as JsonObject)[name] ?? null));
    if (type === "AWS::Lambda::Function")
      return `arn:aws:lambda:eu-west-1:123456789012:function:${property("FunctionName")}`;
    if (type === "AWS::Logs::LogGroup")
      return `arn:aws:logs:eu-west-1:123456789012:log-group:${property("LogGroupName")}:*`;
    if (type === "AWS::S3::Bucket") return `arn:aws:s3:::${property("BucketName")}`;
    if (type === "AWS::IAM::Role") return `arn:aws:iam::123456789012:role/${logicalId}`;
    if (type === "AWS::KMS::Key") return `arn:aws:kms:eu-west-1:123456789012:key/${logicalId}`;
    throw new Error(`The ARN of ${logicalId}, ${String(type)}, is not known here`);
  };

  const resolved = (part: JsonValue): JsonValue => {
    if (Array.isArray(part)) return (part as JsonValue[]).map(resolved);
    if (!isJsonObject(part)) return part;
    const [name = "", argument = null] = Object.entries(part)[0] ?? [];
    if (name === "Ref") return pseudo[String(argument)] ?? String(argument);
    if (name === "Fn::ImportValue") return String(argument);
    if (name === "Fn::GetAtt") return arnOf(String((argument as JsonValue[])[0]));
    if (name === "Fn::Join") {
      const [separator, parts] = argument as [string, JsonValue[]];
      return parts.map((one) => String(resolved(one))).join(separator);
    }
    if (name === "Fn::Sub") return String(argument).replace(/\$\{([^}]+)\}/g, (_, key: string) => String(pseudo[key]));
    if (name.startsWith("Fn::")) throw new Error(`${name} is not known here`);
    return Object.fromEntries(
      Object.entries(part as Record<string, JsonValue>).map(([key, each]) => [key, resolved(each)]),
    );
  };

  return resolved(value as JsonValue);
}

/** The definition of a template's only state machine. */
export function definitionIn(template: Template): JsonObject {
  const [machine] = Object.values(template.findResources("AWS::StepFunctions::StateMachine"));
  const { Properties: properties } = machine as { readonly Properties: JsonObject };
  return JSON.parse(String(resolve(template, properties["DefinitionString"]))) as JsonObject;
}
