import type { Readable } from "node:stream";
import type { GetObjectCommandOutput, S3 } from "@aws-sdk/client-s3";
import { messageOf, RowcallError } from "../core/errors.ts";
import type { ByteRange } from "../core/object-store.ts";
import { nearest } from "../core/schema.ts";
import { folderOf, s3Uri, type S3Address } from "./s3-address.ts";
import { awsFailure, explainS3, notThere } from "./s3-errors.ts";
import { statS3 } from "./s3-stat.ts";

// In a row, without a byte between them.
const breaksAtMost = 3;

/**
 * An object's bytes as they arrive. A connection that breaks is made anew from the last byte on, as long as the object is still
 * the same.
 *
 * @throws RowcallError STORE_NOT_FOUND with the nearest key in the same folder where listing is allowed, STORE_DENIED, STORE_FAILED
 */
export async function* readS3(
  s3: S3,
  address: S3Address,
  { start, end = Number.POSITIVE_INFINITY }: ByteRange = { start: 0 },
): AsyncGenerator<Uint8Array> {
  if (end <= start) {
    if ((await statS3(s3, address)) === undefined) throw await withNearKey(s3, address, notThere("read", address, ""));
    return;
  }
  let at = start;
  let breaks = 0;
  let first: GetObjectCommandOutput | undefined;
  while (at < end) {
    const answer = await open(s3, address, at, end, first?.ETag);
    if (answer === undefined) return;
    first ??= answer;
    try {
      for await (const chunk of answer.Body as Readable as AsyncIterable<Uint8Array>) {
        at += chunk.length;
        breaks = 0;
        yield chunk;
      }
      return;
    } catch (thrown) {
      breaks += 1;
      if (first.ETag === undefined || breaks > breaksAtMost || isDamage(thrown))
        throw explainS3("read", address, thrown);
    }
  }
}

// No break: what came is not what S3 has. To go on would hide it, since a range comes without a checksum.
function isDamage(thrown: unknown): boolean {
  return messageOf(thrown).startsWith("Checksum mismatch");
}

/** Undefined when there is nothing at or after the start. */
async function open(
  s3: S3,
  address: S3Address,
  start: number,
  end: number,
  etag: string | undefined,
): Promise<GetObjectCommandOutput | undefined> {
  const { bucket, key } = address;
  // A whole object is asked for without a range, since only then its checksum comes along. S3's own end is inclusive.
  const last = Number.isFinite(end) ? String(end - 1) : "";
  const range = start === 0 && last === "" ? undefined : `bytes=${start}-${last}`;
  try {
    return await s3.getObject({ Bucket: bucket, Key: key, Range: range, IfMatch: etag });
  } catch (thrown) {
    const { status } = awsFailure(thrown);
    if (status === 416) return undefined;
    if (status === 412) throw changed(address, thrown);
    throw await withNearKey(s3, address, explainS3("read", address, thrown));
  }
}

function changed({ uri }: S3Address, cause: unknown): RowcallError {
  return new RowcallError("STORE_FAILED", `Cannot read ${uri}: it was replaced while it was being read`, {
    hint: "Try again once nobody writes it any more.",
    cause,
    details: { uri },
  });
}

/** An error for a missing object with the key that was probably meant. */
export async function withNearKey(s3: S3, { bucket, key }: S3Address, error: RowcallError): Promise<RowcallError> {
  if (error.code !== "STORE_NOT_FOUND" || error.details["awsError"] === "NoSuchBucket") return error;
  const folder = folderOf(key);
  const keys = await keysIn(s3, bucket, folder);
  const near = nearest(
    key.slice(folder.length),
    keys.map((found) => found.slice(folder.length)),
  );
  const hint =
    near === undefined
      ? `Check the key: capitals count. \`aws s3 ls ${s3Uri(bucket, folder)}\` lists what there is.`
      : `Did you mean "${s3Uri(bucket, folder + near)}"?`;
  return new RowcallError(error.code, error.message, { hint, cause: error.cause, details: error.details });
}

async function keysIn(s3: S3, bucket: string, folder: string): Promise<readonly string[]> {
  try {
    const { Contents = [] } = await s3.listObjectsV2({ Bucket: bucket, Prefix: folder, Delimiter: "/" });
    return Contents.flatMap(({ Key }) => (Key === undefined ? [] : [Key]));
  } catch {
    return [];
  }
}
