import type { AwsSettings } from "../aws/aws.ts";
import type { ObjectInfo, ObjectStore } from "../core/object-store.ts";
import type { Clock } from "../core/services.ts";
import { parseS3Address, type S3Address } from "./s3-address.ts";
import { createS3Client } from "./s3-client.ts";
import { copyS3 } from "./s3-copy.ts";
import { aBucket, explained, type S3Verb } from "./s3-errors.ts";
import { listS3 } from "./s3-list.ts";
import { readS3 } from "./s3-read.ts";
import { infoOf, statS3 } from "./s3-stat.ts";
import { writeS3 } from "./s3-write.ts";

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
