import type { DynamoDB } from "@aws-sdk/client-dynamodb";
import { messageOf, RowcallError } from "../core/errors.ts";
import { itemBytes, itemOf, maxItemBytes, valueOfItem } from "./dynamodb-item.ts";
import { openTable, type DynamodbTable, type Item } from "./dynamodb-table.ts";
import type { ShelfKind } from "./shelf-kind.ts";
import type { RegistryPart, ShelfEntry, ShelfPlace } from "./shelf-place.ts";

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

function openDynamodbPlace<T>(kind: ShelfKind<T>, table: DynamodbTable, address: string): ShelfPlace<T> {
  const versionsIn = (items: readonly Item[]): { entries: ShelfEntry<T>[]; problems: RowcallError[] } => {
    const entries: (ShelfEntry<T> & { readonly isExact: boolean })[] = [];
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

function oddVersion<T>(kind: ShelfKind<T>, name: string, version: string, address: string): RowcallError {
  return new RowcallError(
    kind.invalid,
    `The ${kind.noun} ${name} in ${address} has the version "${version}", which is not a semantic one`,
    { hint: "A version such as 1.0.0 is found." },
  );
}

// What DynamoDB cannot keep, such as a number of 1e300 or a name without a letter, is the document's fault.
function refused<T>(kind: ShelfKind<T>, document: T, thrown: unknown, address: string): unknown {
  if (!(thrown instanceof RowcallError) || thrown.details["awsError"] !== "ValidationException") return thrown;
  const name = `${kind.nameOf(document)}@${kind.versionOf(document)}`;
  return new RowcallError(
    kind.invalid,
    `The ${kind.noun} ${name} cannot be kept in ${address}: ${messageOf(thrown.cause)}`,
    {
      hint: "Correct what is named, or keep it in a folder or under an s3:// prefix.",
      cause: thrown,
    },
  );
}

function tooLarge<T>(kind: ShelfKind<T>, document: T, bytes: number, address: string): RowcallError {
  const name = `${kind.nameOf(document)}@${kind.versionOf(document)}`;
  const kilobytes = Math.ceil(bytes / 1024);
  return new RowcallError(
    kind.invalid,
    `The ${kind.noun} ${name} takes ${kilobytes} KB, and ${address} cannot hold more than 400 KB of one`,
    { hint: "Keep it in a folder or under an s3:// prefix, or make it smaller." },
  );
}
