import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import type { PutObjectCommandInput, S3 } from "@aws-sdk/client-s3";
import type { WriteOptions } from "../core/object-store.ts";
import type { S3Address } from "./s3-address.ts";
import { alreadyThere, awsFailure, explainS3 } from "./s3-errors.ts";
import { headS3 } from "./s3-stat.ts";

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
      if (ifAbsent && (await headS3(s3, address).catch(() => undefined)) !== undefined) throw alreadyThere(address);
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
  throw isTaken ? alreadyThere(address, thrown) : explainS3("write", address, thrown);
}
