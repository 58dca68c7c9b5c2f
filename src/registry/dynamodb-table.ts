import type { AttributeValue, DynamoDB } from "@aws-sdk/client-dynamodb";
import { awsClientConfig, type AwsSettings } from "../aws/aws.ts";
import { awsError, explainAws } from "../aws/aws-errors.ts";
import { RowcallError } from "../core/errors.ts";
import type { PublicationStatus } from "../core/template.ts";
import type { ShelfKind } from "./shelf-kind.ts";

/** What a table holds, as DynamoDB writes it. */
export type Item = Record<string, AttributeValue>;

type HashKey = ShelfKind<unknown>["key"];

/** Both halves of an item's key. */
export interface ItemKey {
  readonly name: string;
  readonly version: string;
}

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
  setStatus(key: ItemKey, status: PublicationStatus): Promise<boolean>;
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
