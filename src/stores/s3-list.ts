import type { S3 } from "@aws-sdk/client-s3";
import type { ObjectInfo } from "../core/object-store.ts";
import { s3Uri, type S3Address } from "./s3-address.ts";
import { explained } from "./s3-errors.ts";
import { infoOf } from "./s3-stat.ts";

/**
 * Objects whose key begins with the address's key, in order of their URIs, a page of up to a thousand in memory.
 *
 * @throws RowcallError STORE_NOT_FOUND when there is no such bucket; STORE_DENIED, STORE_FAILED
 */
export async function* listS3(s3: S3, prefix: S3Address): AsyncGenerator<ObjectInfo> {
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
