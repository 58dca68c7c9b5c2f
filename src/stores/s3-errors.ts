import { explainAws } from "../aws/aws-errors.ts";
import { RowcallError, type ErrorCode } from "../core/errors.ts";
import type { S3Address } from "./s3-address.ts";

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

/** What writing where something is comes to when nothing may be replaced. */
export function alreadyThere({ uri }: S3Address, cause?: unknown): RowcallError {
  return new RowcallError("OUTPUT_EXISTS", `${uri} exists already`, {
    hint: "Choose another name, or delete it first.",
    cause,
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
