import { Readable } from "node:stream";
import type { HeadObjectCommandOutput, S3, GetObjectCommandOutput, PutObjectCommandInput } from "@aws-sdk/client-s3";
import { objectExists, type ByteRange, type ObjectInfo, type WriteOptions } from "../core/object-store.ts";
import { type S3Address, awsFailure, explainS3, folderOf, s3Uri, notThere } from "./s3-client.ts";
import { messageOf, RowcallError } from "../core/errors.ts";
import { nearest } from "../core/schema.ts";
import { randomUUID } from "node:crypto";

/**
 * What S3 knows of an object; undefined when it is not there.
 *
 * @throws RowcallError STORE_DENIED, STORE_FAILED
 */
async function headS3(s3: S3, address: S3Address): Promise<HeadObjectCommandOutput | undefined> {
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
    hint: "Try again when no other process writes to it.",
    cause,
    details: { uri },
  });
}

/** An error for a missing object with the key that was probably meant. */
async function withNearKey(s3: S3, { bucket, key }: S3Address, error: RowcallError): Promise<RowcallError> {
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
  return error.withHint(hint);
}

async function keysIn(s3: S3, bucket: string, folder: string): Promise<readonly string[]> {
  try {
    const { Contents = [] } = await s3.listObjectsV2({ Bucket: bucket, Prefix: folder, Delimiter: "/" });
    return Contents.flatMap(({ Key }) => (Key === undefined ? [] : [Key]));
  } catch {
    return [];
  }
}

// S3 takes ten thousand parts: objects of up to 78 GiB.
const partBytes = 8 * 1024 * 1024;
const partsAtOnce = 3;
const triesAtMost = 3;
// In the object's metadata, so that a write whose answer was lost is not taken for somebody else's.
const markName = "rowcall-write";

/**
 * Writes an object: in one call when it fits into one part, else in parts, of which a few are in memory. When it fails nothing
 * is left behind.
 *
 * @returns how many bytes were written
 * @throws RowcallError STORE_NOT_FOUND, STORE_DENIED, STORE_FAILED; OUTPUT_EXISTS with `ifAbsent`; what `content` throws, as it is
 */
export async function writeS3(
  s3: S3,
  address: S3Address,
  content: Uint8Array | AsyncIterable<Uint8Array>,
  { ifAbsent = false, contentType }: WriteOptions,
): Promise<number> {
  const mark = randomUUID();
  const object = {
    Bucket: address.bucket,
    Key: address.key,
    ContentType: contentType,
    ...(ifAbsent ? { IfNoneMatch: "*", Metadata: { [markName]: mark } } : {}),
  };
  const source = openSource(content);
  try {
    const { head, isWhole } = await takePart(source.chunks);
    if (isWhole) {
      await putWhole(s3, { ...object, Body: Buffer.concat(head) });
    } else {
      // Better found out now than after all parts were sent; who may not look is told then.
      if (ifAbsent && (await headS3(s3, address).catch(() => undefined)) !== undefined) throw objectExists(address.uri);
      await putParts(s3, object, chain(head, source.chunks));
    }
  } catch (thrown) {
    if (thrown instanceof SourceFailure) throw thrown.cause;
    if (!ifAbsent || !isConflict(thrown)) throw explainS3("write", address, thrown);
    await requireOwn(s3, address, mark, thrown);
  } finally {
    await source.chunks.return(undefined);
  }
  return source.size();
}

/** Wraps what the source of a write threw, to tell it from what S3 threw. */
class SourceFailure extends Error {}

interface Source {
  readonly chunks: AsyncGenerator<Uint8Array>;
  /** Bytes that were taken so far. */
  size(): number;
}

function openSource(content: Uint8Array | AsyncIterable<Uint8Array>): Source {
  let size = 0;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of content instanceof Uint8Array ? [content] : content) {
        size += chunk.length;
        // Copied, since it is kept until its part is full and its writer may use the buffer again.
        yield chunk === content ? chunk : Buffer.from(chunk);
      }
    } catch (cause) {
      throw new SourceFailure("The source of a write failed", { cause });
    }
  }
  return { chunks: chunks(), size: () => size };
}

async function takePart(
  chunks: AsyncGenerator<Uint8Array>,
): Promise<{ readonly head: Uint8Array[]; readonly isWhole: boolean }> {
  const head: Uint8Array[] = [];
  for (let size = 0; size <= partBytes;) {
    const next = await chunks.next();
    if (next.done === true) return { head, isWhole: true };
    head.push(next.value);
    size += next.value.length;
  }
  return { head, isWhole: false };
}

async function* chain(head: Uint8Array[], rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  // Taken out as they are sent: the list lives as long as the write.
  for (let chunk = head.shift(); chunk !== undefined; chunk = head.shift()) yield chunk;
  yield* rest;
}

async function putWhole(s3: S3, object: PutObjectCommandInput): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await s3.putObject(object);
      return;
    } catch (thrown) {
      // Somebody deleted or wrote it in the same moment: S3 asks to try again.
      if (awsFailure(thrown).name !== "ConditionalRequestConflict" || tries === triesAtMost) throw thrown;
    }
  }
}

async function putParts(s3: S3, object: PutObjectCommandInput, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const { Upload } = await import("@aws-sdk/lib-storage");
  const upload = new Upload({
    client: s3,
    params: { ...object, Body: Readable.from(chunks) },
    partSize: partBytes,
    queueSize: partsAtOnce,
    // Given up here: left to itself it keeps the parts when the last call fails, and throws what giving up comes to.
    leavePartsOnError: true,
  });
  try {
    await upload.done();
  } catch (thrown) {
    const { Bucket, Key } = object;
    const { uploadId: UploadId } = upload;
    if (UploadId !== undefined) await s3.abortMultipartUpload({ Bucket, Key, UploadId }).catch(() => {});
    throw thrown;
  }
}

function isConflict(thrown: unknown): boolean {
  return ["PreconditionFailed", "ConditionalRequestConflict"].includes(awsFailure(thrown).name);
}

// When an answer is lost the SDK sends the write again, and that one finds what the first one wrote.
async function requireOwn(s3: S3, address: S3Address, mark: string, thrown: unknown): Promise<void> {
  const there = await headS3(s3, address).catch(() => undefined);
  if (there?.Metadata?.[markName] === mark) return;
  const isTaken = there !== undefined || awsFailure(thrown).name === "PreconditionFailed";
  throw isTaken ? objectExists(address.uri, thrown) : explainS3("write", address, thrown);
}

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
    return writeS3(s3, to, readS3(s3, from), { ...options, contentType: contentType ?? ContentType });
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
    if (awsFailure(thrown).name === "PreconditionFailed") throw objectExists(to.uri, thrown);
    throw explainS3("write", to, thrown);
  }
}
