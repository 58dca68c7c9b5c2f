import { isJsonObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";
import type { Place } from "./world.ts";

/** How a template is resolved. */
export interface ResolveOptions {
  readonly place: Place;
  /** Physical names by logical id. @default the name that the template gives, or else the logical id */
  readonly names?: Readonly<Record<string, string>>;
  /** Values of parameters by logical id. @default the template's own defaults */
  readonly parameters?: Readonly<Record<string, string>>;
}

/** A state machine of a template. */
export interface TemplateMachine {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  readonly definition: JsonObject;
}

/** What `Ref` gives, and how the ARN goes on after region and account; S3 and IAM leave these out of theirs. */
interface ResourceKind {
  readonly service: string;
  readonly ref: "arn" | "name";
  /** Property that has the name. */
  readonly nameProperty: string;
  /** ARN's part before the name. */
  readonly prefix: string;
  /** `Fn::GetAtt` that gives the name. */
  readonly nameAttribute?: string;
  readonly global?: "region" | "region and account";
}

const kinds: Readonly<Record<string, ResourceKind>> = {
  "AWS::StepFunctions::StateMachine": {
    ...{
      service: "states",
      ref: "arn",
      nameProperty: "StateMachineName",
      prefix: "stateMachine:",
      nameAttribute: "Name",
    },
  },
  "AWS::StepFunctions::Activity": {
    ...{ service: "states", ref: "arn", nameProperty: "Name", prefix: "activity:", nameAttribute: "Name" },
  },
  "AWS::Lambda::Function": { service: "lambda", ref: "name", nameProperty: "FunctionName", prefix: "function:" },
  "AWS::SNS::Topic": {
    ...{ service: "sns", ref: "arn", nameProperty: "TopicName", prefix: "", nameAttribute: "TopicName" },
  },
  "AWS::S3::Bucket": {
    service: "s3",
    ref: "name",
    nameProperty: "BucketName",
    prefix: "",
    global: "region and account",
  },
  "AWS::DynamoDB::Table": { service: "dynamodb", ref: "name", nameProperty: "TableName", prefix: "table/" },
  "AWS::DynamoDB::GlobalTable": { service: "dynamodb", ref: "name", nameProperty: "TableName", prefix: "table/" },
  "AWS::IAM::Role": { service: "iam", ref: "name", nameProperty: "RoleName", prefix: "role/", global: "region" },
  "AWS::Logs::LogGroup": { service: "logs", ref: "name", nameProperty: "LogGroupName", prefix: "log-group:" },
  "AWS::KMS::Key": { service: "kms", ref: "name", nameProperty: "KeyId", prefix: "key/" },
  "AWS::IAM::ManagedPolicy": {
    ...{ service: "iam", ref: "arn", nameProperty: "ManagedPolicyName", prefix: "policy/", global: "region" as const },
  },
  "AWS::Events::Connection": { service: "events", ref: "name", nameProperty: "Name", prefix: "connection/" },
};

/**
 * Takes the state machines out of a synthesised CloudFormation template, with every reference resolved to a made-up but certain name
 * or ARN.
 *
 * @param template - as JSON
 * @throws Error for an intrinsic function, a resource type or an attribute that is not known here
 */
export function stateMachinesOf(template: JsonObject, options: ResolveOptions): readonly TemplateMachine[] {
  const resolver = createResolver(template, options);
  return Object.entries(objectAt(template, "Resources")).flatMap(([logicalId, resource]) => {
    if (!isJsonObject(resource) || resource["Type"] !== "AWS::StepFunctions::StateMachine") return [];
    const { name, arn } = resolver.identify(logicalId);
    return [{ logicalId, name, arn, definition: definitionOf(logicalId, objectAt(resource, "Properties"), resolver) }];
  });
}

/**
 * Resolves a part of a template, such as an output.
 *
 * @throws Error as {@link stateMachinesOf}
 */
export function resolveValue(template: JsonObject, value: JsonValue, options: ResolveOptions): JsonValue {
  return createResolver(template, options).resolve(value);
}

interface Resolver {
  identify(logicalId: string): { readonly name: string; readonly arn: string };
  resolve(value: JsonValue): JsonValue;
}

function definitionOf(logicalId: string, properties: JsonObject, { resolve }: Resolver): JsonObject {
  const { DefinitionString, Definition, DefinitionSubstitutions } = properties;
  const whole = resolve(DefinitionString ?? Definition ?? unknown(`The definition of ${logicalId}`));
  const substitutions = resolve(DefinitionSubstitutions ?? {}) as JsonObject;
  const text = (typeof whole === "string" ? whole : JSON.stringify(whole)).replaceAll(
    /\$\{(\w+)\}/g,
    (placeholder, name: string) => String(substitutions[name] ?? placeholder),
  );
  return JSON.parse(text) as JsonObject;
}

function createResolver(template: JsonObject, { place, names = {}, parameters = {} }: ResolveOptions): Resolver {
  const pseudo: Readonly<Record<string, string>> = {
    "AWS::Partition": place.partition,
    "AWS::Region": place.region,
    "AWS::AccountId": place.account,
    "AWS::URLSuffix": place.partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com",
  };
  const resources = objectAt(template, "Resources");
  const defaults = template["Parameters"] === undefined ? {} : objectAt(template, "Parameters");

  const describe = (logicalId: string) => {
    const resource = resources[logicalId];
    if (!isJsonObject(resource)) return unknown(`The resource ${logicalId}`);
    const kind =
      kinds[String(resource["Type"])] ?? unknown(`The resource type ${String(resource["Type"])} of ${logicalId}`);
    const given = isJsonObject(resource["Properties"]) ? resource["Properties"][kind.nameProperty] : undefined;
    const name = names[logicalId] ?? (given === undefined ? logicalId : String(resolve(given)));
    const region = kind.global === undefined ? place.region : "";
    const account = kind.global === "region and account" ? "" : place.account;
    const arn = `arn:${place.partition}:${kind.service}:${region}:${account}:${kind.prefix}${name}`;
    return { kind, name, arn };
  };

  const ref = (logicalId: string): string => {
    const parameter = defaults[logicalId];
    const known = pseudo[logicalId] ?? parameters[logicalId];
    if (known !== undefined) return known;
    if (isJsonObject(parameter))
      return String(parameter["Default"] ?? unknown(`A value of the parameter ${logicalId}`));
    const { kind, name, arn } = describe(logicalId);
    return kind.ref === "arn" ? arn : name;
  };

  const attribute = (logicalId: string, attributeName: string): string => {
    const { kind, name, arn } = describe(logicalId);
    if (attributeName === "Arn" || attributeName === `${kind.nameProperty.replace(/Name$/, "")}Arn`) return arn;
    if (attributeName === kind.nameAttribute) return name;
    return unknown(`The attribute ${attributeName} of ${logicalId}`);
  };

  const functions: Readonly<Record<string, (argument: JsonValue) => JsonValue>> = {
    Ref: (argument) => ref(String(argument)),
    "Fn::GetAtt": (argument) => {
      const [logicalId = "", ...attributes] = Array.isArray(argument)
        ? argument.map(String)
        : String(argument).split(".");
      return attribute(logicalId, attributes.join("."));
    },
    "Fn::Join": (argument) => {
      const [separator, parts] = resolve(argument) as [string, readonly JsonValue[]];
      return parts.map(String).join(separator);
    },
    "Fn::Split": (argument) => {
      const [separator, text] = resolve(argument) as [string, string];
      return text.split(separator);
    },
    "Fn::Select": (argument) => {
      const [index, values] = resolve(argument) as [JsonValue, readonly JsonValue[]];
      return values[Number(index)] ?? unknown(`Element ${String(index)} of ${JSON.stringify(values)}`);
    },
    "Fn::Sub": (argument) => {
      const [text, own = {}] = (Array.isArray(argument) ? argument : [argument]) as [string, JsonObject?];
      return text.replaceAll(/\$\{(!?)([^}]+)\}/g, (whole, literal: string, name: string) => {
        if (literal !== "") return whole.replace("!", "");
        const value = own[name];
        if (value !== undefined) return String(resolve(value));
        const [logicalId = "", ...attributes] = name.split(".");
        return attributes.length === 0 ? ref(logicalId) : attribute(logicalId, attributes.join("."));
      });
    },
  };

  const resolve = (value: JsonValue): JsonValue => {
    if (Array.isArray(value)) return (value as JsonValue[]).map(resolve);
    if (!isJsonObject(value)) return value;
    const members = Object.entries(value) as [string, JsonValue][];
    const [only] = members;
    if (only !== undefined && members.length === 1 && /^(Ref$|Fn::)/.test(only[0])) {
      const [name, argument] = only;
      return (functions[name] ?? unknown(`The intrinsic function ${name}`))(argument);
    }
    return Object.fromEntries(members.map(([key, each]) => [key, resolve(each)]));
  };

  return { resolve, identify: describe };
}

function objectAt(value: JsonObject, key: string): JsonObject {
  const found = value[key];
  return isJsonObject(found) ? found : unknown(`${key}, an object,`);
}

function unknown(what: string): never {
  throw new Error(`${what} is not known here`);
}
