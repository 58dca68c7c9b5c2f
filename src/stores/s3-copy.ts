import type { S3 } from "@aws-sdk/client-s3";
import type { WriteOptions } from "../core/object-store.ts";
import type { S3Address } from "./s3-address.ts";
import { alreadyThere, awsFailure, explainS3, notThere } from "./s3-errors.ts";
import { readS3, withNearKey } from "./s3-read.ts";
import { headS3 } from "./s3-stat.ts";
import { writeS3 } from "./s3-write.ts";

const copiedAtMost = 5 * 1024 ** 3;

/**
 * Copies an object within S3, which does it by itself. One of more than 5 GiB, or one that is copied onto itself, goes through
 * this machine: S3 refuses both.
 *
 * @returns how many bytes it has
 * @throws RowcallError STORE_NOT_FOUND, STORE_DENIED, STORE_FAILED; OUTPUT_EXISTS with `ifAbsent`
 */
export async function copyS3(s3: S3, from: S3Address, to: S3Address, options: WriteOptions): Promise<number> {
  const head = await headS3(s3, from);
  if (head === undefined) throw await withNearKey(s3, from, notThere("copy", from, ""));
  const { ContentLength: size = 0, ContentType } = head;
  const { ifAbsent = false, contentType } = options;
  if (size > copiedAtMost || from.uri === to.uri) {
    const type = contentType ?? ContentType;
    return writeS3(s3, to, readS3(s3, from), { ...options, ...(type === undefined ? {} : { contentType: type }) });
  }
  try {
    await s3.copyObject({
      Bucket: to.bucket,
      Key: to.key,
      CopySource: `${from.bucket}/${from.key.split("/").map(encodeURIComponent).join("/")}`,
      ...(ifAbsent ? { IfNoneMatch: "*" } : {}),
      ...(contentType === undefined ? {} : { ContentType: contentType, MetadataDirective: "REPLACE" }),
    });
    return size;
  } catch (thrown) {
    if (awsFailure(thrown).name === "PreconditionFailed") throw alreadyThere(to, thrown);
    throw explainS3("write", to, thrown);
  }
}
