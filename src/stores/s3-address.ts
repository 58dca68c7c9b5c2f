import { RowcallError } from "../core/errors.ts";

/** An object in S3 as it was addressed. */
export interface S3Address {
  readonly bucket: string;
  /** Empty when only the bucket is named. */
  readonly key: string;
  /** Canonical: `s3://bucket/key`. */
  readonly uri: string;
}

/**
 * Reads `s3://bucket/key`. The key is taken literally: spaces, `%`, `#` and `?` stand for themselves, and so does every slash
 * after the first.
 *
 * @throws RowcallError USAGE_INVALID when it names no bucket
 */
export function parseS3Address(uri: string): S3Address {
  const [, bucket = "", key = ""] = /^s3:\/\/([^/]*)(?:\/(.*))?$/is.exec(uri) ?? [];
  // Wider than today's rules: old buckets and other makers' stores have names with underscores and capitals.
  if (/^[a-z0-9][\w.-]+$/i.test(bucket)) return { bucket, key, uri: s3Uri(bucket, key) };
  const why = bucket === "" ? "it names no bucket" : `${JSON.stringify(bucket)} cannot be the name of a bucket`;
  throw new RowcallError("USAGE_INVALID", `${uri} is no address in S3: ${why}`, {
    hint: "Write s3://bucket/path/to/rows.csv; an access point goes by its alias.",
  });
}

/** The URI of a key in a bucket. */
export function s3Uri(bucket: string, key: string): string {
  return `s3://${bucket}/${key}`;
}

/** A key up to its last slash: what stands for its folder. */
export function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf("/") + 1);
}
