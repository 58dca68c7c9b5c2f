import type { QueryCommandInput } from "@aws-sdk/client-dynamodb";
import { isJsonObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";
import { UnsupportedError } from "../state-failure.ts";
import type { Integration } from "./integration.ts";
import { serviceFailure } from "./service-failure.ts";

// The aws-sdk integrations name the members of attribute values as Java's SDK does.
const javaNames = new Map([
  ["BOOL", "Bool"],
  ["NULL", "Nul"],
  ["SS", "Ss"],
  ["NS", "Ns"],
  ["BS", "Bs"],
]);
const ownNames = new Map([...javaNames].map(([own, java]) => [java, own]));

/** `aws-sdk:dynamodb:query`. */
export const dynamodbQuery: Integration = {
  resource: "aws-sdk:dynamodb:query",
  resourceType: "aws-sdk:dynamodb",
  action: "query",
  arguments: {
    TableName: true,
    KeyConditionExpression: true,
    IndexName: false,
    FilterExpression: false,
    ProjectionExpression: false,
    ExpressionAttributeNames: false,
    ExpressionAttributeValues: false,
    ExclusiveStartKey: false,
    ConsistentRead: false,
    ScanIndexForward: false,
    Limit: false,
    Select: false,
  },
  inExpress: true,
  call: async ({ world, arguments: given, signal }) => {
    const { QueryCommand } = await import("@aws-sdk/client-dynamodb");
    const input = {
      ...given,
      ...renamed("ExpressionAttributeValues", given, toOwn),
      ...renamed("ExclusiveStartKey", given, toOwn),
    };
    try {
      const client = await world.aws.dynamodb();
      const {
        $metadata: _,
        Items = [],
        LastEvaluatedKey,
        ...counts
      } = await world.outside(signal, () =>
        client.send(new QueryCommand(input as unknown as QueryCommandInput), { abortSignal: signal }),
      );
      const items = (Items as unknown as JsonObject[]).map((item) => renameValues(item, toJava));
      const last = LastEvaluatedKey as unknown as JsonObject | undefined;
      return {
        ...(counts as JsonObject),
        Items: items,
        ...(last === undefined ? {} : { LastEvaluatedKey: renameValues(last, toJava) }),
      };
    } catch (error) {
      signal.throwIfAborted();
      throw serviceFailure("DynamoDb", error);
    }
  },
};

type Rename = (name: string) => string;

const toJava: Rename = (name) => javaNames.get(name) ?? name;

const toOwn: Rename = (name) => {
  if (javaNames.has(name))
    throw new UnsupportedError(`Write ${javaNames.get(name)} for ${name} in the arguments of aws-sdk:dynamodb:query`);
  return ownNames.get(name) ?? name;
};

function renamed(key: string, given: JsonObject, rename: Rename): JsonObject {
  const values = given[key];
  return isJsonObject(values) ? { [key]: renameValues(values, rename) } : {};
}

/** @param values - attribute values by name */
function renameValues(values: JsonObject, rename: Rename): JsonObject {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, renameValue(value, rename)]));
}

function renameValue(value: JsonValue | undefined, rename: Rename): JsonValue {
  if (!isJsonObject(value)) throw new UnsupportedError(`${JSON.stringify(value)} is no attribute value of DynamoDB`);
  return Object.fromEntries(
    Object.entries(value).map(([type, content]): [string, JsonValue | undefined] => {
      if (type === "M" && isJsonObject(content)) return [type, renameValues(content, rename)];
      if (type === "L" && Array.isArray(content))
        return [type, (content as JsonValue[]).map((each) => renameValue(each, rename))];
      return [rename(type), content];
    }),
  );
}
