import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { agentKeys } from "../core/agent.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../core/json.ts";
import type { Item } from "./dynamodb-table.ts";
import type { ShelfKind } from "./shelf-kind.ts";

/** Most bytes that DynamoDB takes as one item. */
export const maxItemBytes: number = 400 * 1024;

/** Writes a document as an item: maps and lists all the way down. */
export async function itemOf(document: object): Promise<Item> {
  const { marshall } = await import("@aws-sdk/util-dynamodb");
  // Numbers beyond 2^53 are as exact as the document has them: both sides hold doubles.
  return marshall(document, { removeUndefinedValues: true, allowImpreciseNumbers: true });
}

/**
 * Reads an item's value, kindly: nested values may be JSON text, sets become lists, and of an agent what is not an agent's is
 * left out.
 *
 * @param version - semantic, in place of the item's own
 */
export async function valueOfItem(
  { noun }: Pick<ShelfKind<unknown>, "noun">,
  item: Item,
  version: string,
): Promise<JsonObject> {
  const { unmarshall } = await import("@aws-sdk/util-dynamodb");
  const value = { ...(jsonOf(unmarshall(item, { wrapNumbers: Number })) as JsonObject), version };
  return noun === "agent" ? agentValue(value) : withoutText(value, templateParts);
}

const agentParts = ["aliases", "config", "input_schema", "structured_output", "estimate"];
const outputKeys = ["enabled", "schema_id", "output_fields", "schema"];
const templateParts = ["session", "variables", "dismiss", "steps", "output"];

function agentValue(value: JsonObject): JsonObject {
  // Agents that say nothing of their kind were made for Step Functions; those that say nothing of an output have none.
  const agent = { kind: "stepfunctions", structured_output: { enabled: false }, ...picked(value, agentKeys) };
  const { structured_output: output, ...rest } = withoutText(agent, agentParts);
  return {
    ...rest,
    structured_output: isJsonObject(output) ? withoutText(picked(output, outputKeys), outputKeys) : output,
  };
}

function picked(value: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.flatMap((key) => (value[key] == null ? [] : [[key, value[key]]])));
}

function withoutText(value: JsonObject, keys: readonly string[]): JsonObject {
  const parsed = keys.flatMap((key) => {
    const text = value[key];
    return typeof text === "string" && /^\s*[[{]/.test(text) ? [[key, parsedOr(text)] as const] : [];
  });
  return { ...value, ...Object.fromEntries(parsed) };
}

function parsedOr(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

function jsonOf(value: unknown): JsonValue {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value) || value instanceof Set) return [...(value as Iterable<unknown>)].map(jsonOf);
  if (typeof value !== "object" || value === null) return value as JsonValue;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, jsonOf(inner)]));
}

/**
 * Bytes of an item as DynamoDB counts them, or a few more.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
}

function valueBytes({ S, N, L, M }: AttributeValue): number {
  if (S !== undefined) return Buffer.byteLength(S);
  if (N !== undefined) return Math.ceil(N.length / 2) + 2;
  if (L !== undefined) return L.reduce((sum, value) => sum + 1 + valueBytes(value), 3);
  if (M !== undefined) return 3 + Object.keys(M).length + itemBytes(M);
  return 1;
}
