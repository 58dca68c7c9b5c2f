import type { Readable } from "node:stream";
import type { HeadObjectCommandOutput, S3 } from "@aws-sdk/client-s3";
import type { ObjectInfo } from "../core/object-store.ts";
import type { S3Address } from "./s3-address.ts";
import { awsFailure, explainS3 } from "./s3-errors.ts";

/**
 * What S3 knows of an object; undefined when it is not there.
 *
 * @throws RowcallError STORE_DENIED, STORE_FAILED
 */
export async function headS3(s3: S3, address: S3Address): Promise<HeadObjectCommandOutput | undefined> {
  try {
    return await s3.headObject({ Bucket: address.bucket, Key: address.key });
  } catch (thrown) {
    const { status } = awsFailure(thrown);
    if (status === 404) return undefined;
    const reason = status === 400 || status === 403 ? await reasonOf(s3, address, thrown) : thrown;
    if (awsFailure(reason).name === "NoSuchKey") return undefined;
    throw explainS3("look at", address, reason);
  }
}

/** As `ObjectStore.stat`. */
export async function statS3(s3: S3, address: S3Address): Promise<ObjectInfo | undefined> {
  const head = await headS3(s3, address);
  return head && infoOf(address.uri, head.ContentLength, head.LastModified);
}

/** An object's info, its time in whole seconds, as most answers of S3 have it. */
export function infoOf(uri: string, size = 0, modifiedAt?: Date): ObjectInfo {
  return { uri, size, modifiedAt: Math.floor((modifiedAt?.getTime() ?? 0) / 1000) * 1000 };
}

// The answer to a HEAD has no body, so it does not say whether credentials have expired or a permission is missing. A GET's does.
async function reasonOf(s3: S3, { bucket, key }: S3Address, thrown: unknown): Promise<unknown> {
  try {
    const { Body } = await s3.getObject({ Bucket: bucket, Key: key, Range: "bytes=0-0" });
    (Body as Readable | undefined)?.destroy();
    return thrown;
  } catch (reason) {
    return reason;
  }
}
