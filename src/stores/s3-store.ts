import type { S3 } from "@aws-sdk/client-s3";
import type { ObjectInfo, ObjectStore } from "../core/object-store.ts";
import { s3Uri, type S3Address, explained, parseS3Address, createS3Client, aBucket, type S3Verb } from "./s3-client.ts";
import { infoOf, copyS3, readS3, statS3, writeS3 } from "./s3-transfer.ts";
import type { AwsSettings } from "../aws/aws.ts";
import type { Clock } from "../core/services.ts";

/** What opening S3 as a store takes. */
export interface S3StoreOptions {
  readonly aws: AwsSettings;
  readonly clock: Clock;
}

/**
 * Opens S3, or a store that speaks its language, as a store: `s3://bucket/key`.
 *
 * One client is made at the first use and shared.
 */
export function openS3Store({ aws, clock }: S3StoreOptions): ObjectStore {
  const client = createS3Client(aws);
  // Asked for afterwards, since no answer to a write has it. Who may write only is told what is known here.
  const written = async (address: S3Address, size: number): Promise<ObjectInfo> => {
    const found = await statS3(await client(), address).catch(() => undefined);
    return found ?? infoOf(address.uri, size, new Date(clock()));
  };
  return {
    async *read(uri, range) {
      yield* readS3(await client(), objectAt("read", uri), range);
    },
    write: async (uri, content, options = {}) => {
      const address = objectAt("write", uri);
      return written(address, await writeS3(await client(), address, content, options));
    },
    stat: async (uri) => {
      const address = parseS3Address(uri);
      return address.key === "" ? undefined : statS3(await client(), address);
    },
    identify: async (uri) => parseS3Address(uri).uri,
    async *list(prefix) {
      yield* listS3(await client(), parseS3Address(prefix));
    },
    delete: async (uri) => {
      const address = objectAt("delete", uri);
      const s3 = await client();
      await explained("delete", address, () => s3.deleteObject({ Bucket: address.bucket, Key: address.key }));
    },
    copy: async (from, to, options = {}) => {
      const target = objectAt("write", to);
      return written(target, await copyS3(await client(), objectAt("copy", from), target, options));
    },
  };
}

function objectAt(verb: S3Verb, uri: string): S3Address {
  const address = parseS3Address(uri);
  if (address.key === "") throw aBucket(verb, address);
  return address;
}

/**
 * Objects whose key begins with the address's key, in order of their URIs, a page of up to a thousand in memory.
 *
 * @throws RowcallError STORE_NOT_FOUND when there is no such bucket; STORE_DENIED, STORE_FAILED
 */
async function* listS3(s3: S3, prefix: S3Address): AsyncGenerator<ObjectInfo> {
  let token: string | undefined;
  do {
    const page = await explained("list", prefix, () =>
      s3.listObjectsV2({
        Bucket: prefix.bucket,
        Prefix: prefix.key,
        ContinuationToken: token,
        // XML cannot carry every character of a key.
        EncodingType: "url",
      }),
    );
    const decode = page.EncodingType === "url" ? decodeKey : (key: string): string => key;
    yield* (
      (page.Contents ?? [])
        .map(({ Key = "", Size, LastModified }) => infoOf(s3Uri(prefix.bucket, decode(Key)), Size, LastModified))
        // Pages follow each other in order; within a page not every store keeps to S3's.
        .sort((a, b) => (a.uri < b.uri ? -1 : 1))
    );
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

function decodeKey(key: string): string {
  return decodeURIComponent(key.replaceAll("+", " "));
}
