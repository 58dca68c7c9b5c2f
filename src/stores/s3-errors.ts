import { explainAws } from "../core/aws-errors.ts";
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

/** AWS's name of an error, and the status of its answer. */
export function awsFailure(thrown: unknown): {
  readonly name: string;
  readonly status?: number;
  readonly tries: number;
} {
  const { $metadata: answer } = Object(thrown) as {
    readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
  };
  const status = answer?.httpStatusCode;
  return { name: explainAws(thrown).name, ...(status === undefined ? {} : { status }), tries: answer?.attempts ?? 1 };
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
  const problem = explainAws(thrown);
  const { name, kind, what, hint } = problem;
  if (name === "NoSuchBucket") {
    const { BucketName: missing = bucket } = Object(thrown) as { readonly BucketName?: string };
    const words = `there is no bucket ${missing}`;
    return {
      name,
      code: "STORE_NOT_FOUND",
      what: words,
      hint: `Check the bucket's name, ${missing}; \`aws s3 ls\` lists yours.`,
    };
  }
  if (name === "InvalidObjectState") {
    const words = "it is archived";
    return { name, code: "STORE_DENIED", what: words, hint: "Restore it with `aws s3api restore-object`, then wait." };
  }
  if (kind === "missing") return { name, code: "STORE_NOT_FOUND", what: "there is no such object", hint };
  if (what === "access is denied") return { name, code: "STORE_DENIED", what, hint: hintOfDenied(verb) };
  if (kind === "denied" || kind === "invalid") return { name, code: "STORE_DENIED", what, hint };
  return { name, code: "STORE_FAILED", what, hint };
}

function hintOfDenied(verb: S3Verb): string {
  const check = `Check the profile and that its policy allows ${actions[verb]}.`;
  if (actions[verb] !== "s3:GetObject") return check;
  return `${check} To those who may not list the bucket (s3:ListBucket) AWS says this of an object that is not there, too.`;
}
