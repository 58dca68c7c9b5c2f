import type { AttributeValue, DynamoDB } from "@aws-sdk/client-dynamodb";
import { agentKeys } from "../core/agent.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../core/json.ts";
import type { CatalogKind, RegistryPart, CatalogEntry, CatalogPlace } from "./catalog-place.ts";
import { awsClientConfig, type AwsSettings, awsError, explainAws } from "../aws/aws.ts";
import { RowcallError, messageOf } from "../core/errors.ts";
import { formatReference, type PinnedReference } from "../core/registry.ts";
import type { PublicationStatus } from "../core/template.ts";

/** Most bytes that DynamoDB takes as one item. */
const maxItemBytes: number = 400 * 1024;

/** Writes a document as an item: maps and lists all the way down. */
async function itemOf(document: object): Promise<Item> {
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
async function valueOfItem(
  { noun }: Pick<CatalogKind<unknown>, "noun">,
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
function itemBytes(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
}

function valueBytes({ S, N, L, M }: AttributeValue): number {
  if (S !== undefined) return Buffer.byteLength(S);
  if (N !== undefined) return Math.ceil(N.length / 2) + 2;
  if (L !== undefined) return L.reduce((sum, value) => sum + 1 + valueBytes(value), 3);
  if (M !== undefined) return 3 + Object.keys(M).length + itemBytes(M);
  return 1;
}

/** What a table holds, as DynamoDB writes it. */
export type Item = Record<string, AttributeValue>;

type HashKey = CatalogKind<unknown>["key"];

/** One table with one item per version. Errors: AWS_DENIED and AWS_FAILED, naming the table. */
export interface DynamodbTable {
  /** What the table holds, by its hash key; asked once. */
  hashKey(): Promise<HashKey>;
  /** The items of one name, also those that were written just now. */
  query(name: string): Promise<readonly Item[]>;
  scan(): Promise<readonly Item[]>;
  /** Adds an item; false when there is one with its key. */
  put(item: Item): Promise<boolean>;
  /** Writes an item's status; false when there is no such item. */
  setStatus(key: PinnedReference, status: PublicationStatus): Promise<boolean>;
}

/** Loads the SDK and makes its client when first asked; one serves all tables of a registry. */
export function dynamodbConnector(aws: AwsSettings): () => Promise<DynamoDB> {
  const connect = async (): Promise<DynamoDB> => {
    const { DynamoDB } = await import("@aws-sdk/client-dynamodb");
    return new DynamoDB(awsClientConfig(aws, "DYNAMODB"));
  };
  let client: Promise<DynamoDB> | undefined;
  return () => (client ??= connect());
}

/** Opens a table; nothing is called before the table is used. */
export function openTable(TableName: string, connect: () => Promise<DynamoDB>): DynamodbTable {
  const call = async <R>(verb: string, run: (client: DynamoDB) => Promise<R>): Promise<R> => {
    try {
      return await run(await connect());
    } catch (thrown) {
      throw tableError(verb, TableName, thrown);
    }
  };
  const all = (verb: string, page: (client: DynamoDB, start: Item | undefined) => Promise<Page>): Promise<Item[]> =>
    call(verb, async (client) => {
      const items: Item[] = [];
      let start: Item | undefined;
      do {
        const { Items = [], LastEvaluatedKey } = await page(client, start);
        items.push(...Items);
        start = LastEvaluatedKey;
      } while (start !== undefined);
      return items;
    });

  let known: Promise<HashKey> | undefined;
  const hashKey = (): Promise<HashKey> => {
    const asked = known ?? call("look at", (client) => describeHashKey(client, TableName));
    known = asked;
    // What failed is asked again: rights and tables may come.
    asked.catch(() => (known = undefined));
    return asked;
  };

  return {
    hashKey,
    query: async (name) => {
      const key = await hashKey();
      return all("read", (client, ExclusiveStartKey) =>
        client.query({
          TableName,
          ExclusiveStartKey,
          ConsistentRead: true,
          KeyConditionExpression: "#name = :name",
          ExpressionAttributeNames: { "#name": key },
          ExpressionAttributeValues: { ":name": { S: name } },
        }),
      );
    },
    scan: () =>
      all("read", (client, ExclusiveStartKey) => client.scan({ TableName, ExclusiveStartKey, ConsistentRead: true })),
    put: (item) =>
      call("write to", (client) =>
        unlessConflict(
          client.putItem({
            TableName,
            Item: item,
            ConditionExpression: "attribute_not_exists(#version)",
            ExpressionAttributeNames: { "#version": "version" },
          }),
        ),
      ),
    setStatus: async ({ name, version }, status) => {
      const key = await hashKey();
      return call("write to", (client) =>
        unlessConflict(
          client.updateItem({
            TableName,
            Key: { [key]: { S: name }, version: { S: version } },
            UpdateExpression: "SET #status = :status",
            ConditionExpression: "attribute_exists(#version)",
            ExpressionAttributeNames: { "#status": "status", "#version": "version" },
            ExpressionAttributeValues: { ":status": { S: status } },
          }),
        ),
      );
    },
  };
}

interface Page {
  readonly Items?: Item[] | undefined;
  readonly LastEvaluatedKey?: Item | undefined;
}

async function describeHashKey(client: DynamoDB, TableName: string): Promise<HashKey> {
  const { Table: { KeySchema = [], AttributeDefinitions = [] } = {} } = await client.describeTable({ TableName });
  const keys = KeySchema.map(({ AttributeName: name = "", KeyType }) => ({
    name,
    isHash: KeyType === "HASH",
    type: AttributeDefinitions.find(({ AttributeName }) => AttributeName === name)?.AttributeType,
  }));
  const hash = keys.find(({ isHash }) => isHash)?.name;
  const range = keys.find(({ isHash }) => !isHash)?.name;
  const isText = keys.every(({ type }) => type === "S");
  if ((hash === "agent_name" || hash === "template_id") && range === "version" && isText) return hash;
  const found = keys.map(({ name, type }) => `${name} (${type})`).join(" and ");
  throw new RowcallError("AWS_DENIED", `The DynamoDB table ${TableName} is not a registry: its key is ${found}`, {
    hint: "A table of agents has the key agent_name and version, one of templates template_id and version, all strings.",
  });
}

async function unlessConflict(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (thrown) {
    if (explainAws(thrown).kind === "conflict") return false;
    throw thrown;
  }
}

function tableError(verb: string, table: string, thrown: unknown): RowcallError {
  const tried = `${verb} the DynamoDB table ${table}`;
  if (explainAws(thrown).kind !== "missing") return awsError(tried, thrown);
  return new RowcallError("AWS_DENIED", `Cannot ${tried}: there is none`, {
    hint: "Check its name, the account (--profile) and the region (--region), or create it as docs/registry.md says.",
    cause: thrown,
    details: { awsError: explainAws(thrown).name },
  });
}

/**
 * A table of agents or of templates, which its hash key tells: `agent_name` or `template_id`. Its range key is `version`.
 *
 * @param address - `dynamodb:TABLE`
 */
export function openDynamodbPart(address: string, connect: () => Promise<DynamoDB>): RegistryPart {
  let table: DynamodbTable | undefined;
  return {
    placeOf: async (kind) => {
      table ??= openTable(tableNameOf(address), connect);
      return (await table.hashKey()) === kind.key ? openDynamodbPlace(kind, table, address) : undefined;
    },
  };
}

function openDynamodbPlace<T>(kind: CatalogKind<T>, table: DynamodbTable, address: string): CatalogPlace<T> {
  const versionsIn = (items: readonly Item[]): { entries: CatalogEntry<T>[]; problems: RowcallError[] } => {
    const entries: (CatalogEntry<T> & { readonly isExact: boolean })[] = [];
    const problems: RowcallError[] = [];
    for (const item of items) {
      const { [kind.key]: { S: name = "" } = {}, version: { S: written = "" } = {} } = item;
      const version = semanticVersion(written);
      if (version === undefined) {
        problems.push(oddVersion(kind, name, written, address));
        continue;
      }
      const what = `${kind.noun} ${name}@${version} in ${address}`;
      entries.push({
        name,
        version,
        read: async () => kind.parse(await valueOfItem(kind, item, version), what),
        setStatus: (status) => table.setStatus({ name, version: written }, status),
        isExact: version === written,
      });
    }
    // Where a table has both "1.0" and "1.0.0", the latter is 1.0.0.
    return { entries: entries.toSorted((a, b) => Number(b.isExact) - Number(a.isExact)), problems };
  };

  return {
    address,
    find: async (name) => versionsIn(await table.query(name)).entries,
    findAll: async () => versionsIn(await table.scan()),
    add: async (document) => {
      const item = await itemOf(document as object);
      const bytes = itemBytes(item);
      if (bytes > maxItemBytes) throw tooLarge(kind, document, bytes, address);
      try {
        return await table.put(item);
      } catch (thrown) {
        throw refused(kind, document, thrown, address);
      }
    },
  };
}

/** The registries that came before write `v1.0` or `1.0` for 1.0.0. */
function semanticVersion(written: string): string | undefined {
  const {
    major,
    minor = "0",
    patch = "0",
  } = /^v?(?<major>\d+)(?:\.(?<minor>\d+)(?:\.(?<patch>\d+))?)?$/.exec(written)?.groups ?? {};
  return major === undefined ? undefined : `${major}.${minor}.${patch}`;
}

function tableNameOf(address: string): string {
  const name = /^dynamodb:(?:\/\/)?(?<name>[\w.-]{3,255})$/i.exec(address)?.groups?.["name"];
  if (name !== undefined) return name;
  throw new RowcallError("USAGE_INVALID", `${address} names no DynamoDB table`, {
    hint: "Write dynamodb:TABLE, with a name of 3 to 255 letters, digits, dots, dashes and underscores.",
  });
}

function oddVersion<T>(kind: CatalogKind<T>, name: string, version: string, address: string): RowcallError {
  return new RowcallError(
    kind.invalid,
    `The ${kind.noun} ${name} in ${address} has the version "${version}", which is not a semantic one`,
    { hint: "A version such as 1.0.0 is found." },
  );
}

// What DynamoDB cannot keep, such as a number of 1e300 or a name without a letter, is the document's fault.
function refused<T>(kind: CatalogKind<T>, document: T, thrown: unknown, address: string): unknown {
  if (!(thrown instanceof RowcallError) || thrown.details["awsError"] !== "ValidationException") return thrown;
  const name = formatReference(kind.labelOf(document));
  return new RowcallError(
    kind.invalid,
    `The ${kind.noun} ${name} cannot be kept in ${address}: ${messageOf(thrown.cause)}`,
    {
      hint: "Correct what is named, or keep it in a folder or under an s3:// prefix.",
      cause: thrown,
    },
  );
}

function tooLarge<T>(kind: CatalogKind<T>, document: T, bytes: number, address: string): RowcallError {
  const name = formatReference(kind.labelOf(document));
  const kilobytes = Math.ceil(bytes / 1024);
  return new RowcallError(
    kind.invalid,
    `The ${kind.noun} ${name} takes ${kilobytes} KB, and ${address} cannot hold more than 400 KB of one`,
    { hint: "Keep it in a folder or under an s3:// prefix, or make it smaller." },
  );
}
