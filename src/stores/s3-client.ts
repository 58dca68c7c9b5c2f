import { RowcallError, type ErrorCode } from "../core/errors.ts";
import { explainAws, awsClientConfig, type AwsSettings } from "../aws/aws.ts";
import type { S3 } from "@aws-sdk/client-s3";

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

const actions = {
  read: "s3:GetObject",
  write: "s3:PutObject",
  "look at": "s3:GetObject",
  copy: "s3:GetObject",
  list: "s3:ListBucket on the bucket itself",
  delete: "s3:DeleteObject",
} as const;

/** What can be tried with an object. */
export type S3Verb = keyof typeof actions;

/**
 * Makes a call of S3 and puts what goes wrong into words.
 *
 * @throws RowcallError STORE_NOT_FOUND, STORE_DENIED, STORE_FAILED
 */
export async function explained<T>(verb: S3Verb, address: S3Address, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    throw explainS3(verb, address, thrown);
  }
}

/** A failed call of S3 as one of our errors; our own errors stay as they are. */
export function explainS3(verb: S3Verb, address: S3Address, thrown: unknown): RowcallError {
  if (thrown instanceof RowcallError) return thrown;
  const { name, code, what, hint } = explanationOf(verb, address, thrown);
  return new RowcallError(code, `Cannot ${verb} ${address.uri}: ${what}`, {
    hint,
    cause: thrown,
    details: { uri: address.uri, ...(name === "" ? {} : { awsError: name }) },
  });
}

/** AWS's name of an error, empty when there is none, and the HTTP status of its answer. */
export function awsFailure(thrown: unknown): { readonly name: string; readonly status: number | undefined } {
  const { $metadata } = Object(thrown) as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return { name: explainAws(thrown).name, status: $metadata?.httpStatusCode };
}

/** What asking for something that is not there comes to. */
export function notThere(verb: S3Verb, { uri }: S3Address, hint: string, cause?: unknown): RowcallError {
  return new RowcallError("STORE_NOT_FOUND", `Cannot ${verb} ${uri}: there is no such object`, {
    hint,
    cause,
    details: { uri },
  });
}

/** What using a bucket as an object comes to. */
export function aBucket(verb: S3Verb, { uri }: S3Address): RowcallError {
  return new RowcallError("STORE_DENIED", `Cannot ${verb} ${uri}: it is a bucket`, {
    hint: "Name an object in it.",
    details: { uri },
  });
}

interface Explanation {
  readonly name: string;
  readonly code: ErrorCode;
  readonly what: string;
  readonly hint: string;
}

function explanationOf(verb: S3Verb, { bucket }: S3Address, thrown: unknown): Explanation {
  const { name, kind, what, hint } = explainAws(thrown);
  if (name === "NoSuchBucket") {
    const { BucketName: missing = bucket } = Object(thrown) as { readonly BucketName?: string };
    return {
      name,
      code: "STORE_NOT_FOUND",
      what: `there is no bucket ${missing}`,
      hint: `Check the bucket's name, ${missing}; \`aws s3 ls\` lists yours.`,
    };
  }
  if (name === "InvalidObjectState") {
    const restore = "Restore it with `aws s3api restore-object`, then wait.";
    return { name, code: "STORE_DENIED", what: "it is archived", hint: restore };
  }
  if (kind === "missing") return { name, code: "STORE_NOT_FOUND", what: "there is no such object", hint };
  if (what === "access is denied") return { name, code: "STORE_DENIED", what, hint: hintOfDenied(verb) };
  return { name, code: kind === "denied" || kind === "invalid" ? "STORE_DENIED" : "STORE_FAILED", what, hint };
}

function hintOfDenied(verb: S3Verb): string {
  const check = `Check the profile and that its policy allows ${actions[verb]}.`;
  if (actions[verb] !== "s3:GetObject") return check;
  return `${check} To those who may not list the bucket (s3:ListBucket) AWS says this of an object that is not there, too.`;
}

/** Gives the one client of a store. */
export type S3Client = () => Promise<S3>;

// A connection that stands but carries nothing would hold a run for ever: the SDK has no limits of its own.
const timeouts = { connectionTimeout: 10_000, socketTimeout: 60_000 };

/**
 * A client of S3 that is made when it is first asked for. It needs no closing: sockets that wait for the next call do not keep
 * a process from ending.
 */
export function createS3Client(settings: AwsSettings): S3Client {
  let client: Promise<S3> | undefined;
  return () => (client ??= openClient(settings));
}

async function openClient(settings: AwsSettings): Promise<S3> {
  const { S3 } = await import("@aws-sdk/client-s3");
  const config = awsClientConfig(settings, "S3");
  return new S3({
    ...config,
    // Other stores than AWS's have no host name for each bucket.
    forcePathStyle: config.endpoint !== undefined,
    followRegionRedirects: true,
    requestHandler: timeouts,
  });
}
