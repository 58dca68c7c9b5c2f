import assert from "node:assert/strict";
import { test } from "node:test";
import { RowcallError } from "../core/errors.ts";
import { explained, explainS3, folderOf, parseS3Address } from "./s3-client.ts";

test("takes a key literally", () => {
  for (const key of ["a b%20#1.csv", "a?b=c&d", "/leading//double/", "住所🏠.csv", "line\nbreak", "..", ""]) {
    const uri = `s3://bucket/${key}`;
    assert.deepEqual(parseS3Address(uri), { bucket: "bucket", key, uri });
  }
});

test("makes URIs canonical", () => {
  assert.equal(parseS3Address("S3://bucket/Key").uri, "s3://bucket/Key");
  assert.equal(parseS3Address("s3://old_Bucket.name").uri, "s3://old_Bucket.name/");
});

test("refuses what names no bucket", () => {
  for (const uri of ["s3:", "s3:key", "s3:/bucket/key", "s3://", "s3:///key"])
    assert.throws(() => parseS3Address(uri), { code: "USAGE_INVALID", message: /no bucket$/, hint: /s3:\/\/bucket\// });
  for (const bucket of ["a b", "..", "arn:aws:s3:eu-west-1:1:accesspoint", "bucket?x"])
    assert.throws(() => parseS3Address(`s3://${bucket}/key`), { code: "USAGE_INVALID", message: /cannot be the name/ });
});

test("takes a folder for what stands before the last slash", () => {
  assert.equal(folderOf("a/b/c.csv"), "a/b/");
  assert.equal(folderOf("a/b/"), "a/b/");
  assert.equal(folderOf("c.csv"), "");
});

const address = parseS3Address("s3://bucket/in/rows.csv");

function awsError(name: string, status: number | undefined, message = "what AWS says", more = {}): Error {
  const $metadata = status === undefined ? {} : { httpStatusCode: status, attempts: 1 };
  return Object.assign(new Error(message), { name, $metadata, ...more });
}

test("puts AWS's errors into words, with the URI and what to do", () => {
  const told: readonly (readonly [Error, string, string, RegExp])[] = [
    [awsError("NoSuchBucket", 404), "STORE_NOT_FOUND", "there is no bucket bucket", /`aws s3 ls`/],
    [awsError("NoSuchKey", 404), "STORE_NOT_FOUND", "there is no such object", /name/],
    [awsError("AccessDenied", 403), "STORE_DENIED", "access is denied", /s3:GetObject.*not there, too/],
    [awsError("403", 403), "STORE_DENIED", "access is denied", /s3:GetObject/],
    [awsError("ExpiredToken", 400), "STORE_DENIED", "the AWS credentials have expired", /Sign in again/],
    [awsError("CredentialsProviderError", undefined), "STORE_DENIED", "there are no AWS credentials", /aws sso login/],
    [awsError("InvalidAccessKeyId", 403), "STORE_DENIED", "AWS does not know these credentials", /--profile/],
    [awsError("Error", undefined, "Region is missing"), "STORE_DENIED", "no AWS region is set", /AWS_REGION/],
    [awsError("PermanentRedirect", 301), "STORE_DENIED", "it lives in another AWS region", /--region/],
    [awsError("InvalidObjectState", 403), "STORE_DENIED", "it is archived", /restore-object/],
    [awsError("KeyTooLongError", 400, "Your key is too long"), "STORE_DENIED", "Your key is too long", /Correct/],
    [awsError("SlowDown", 503), "STORE_FAILED", "AWS is limiting the rate of calls", /max_concurrency/],
    [awsError("InternalError", 500, "We are sorry"), "STORE_FAILED", "We are sorry", /Try again/],
    [
      awsError("Error", undefined, "connect ECONNREFUSED", { code: "ECONNREFUSED" }),
      "STORE_FAILED",
      "the endpoint cannot be reached",
      /--endpoint-url/,
    ],
  ];
  for (const [thrown, code, what, hint] of told) {
    const error = explainS3("read", address, thrown);
    assert.deepEqual([error.code, error.message], [code, `Cannot read s3://bucket/in/rows.csv: ${what}`]);
    assert.match(error.hint ?? "", hint);
    assert.equal(error.cause, thrown);
    assert.equal(error.details["uri"], address.uri);
  }
});

test("names the permission that an action needs", () => {
  const denied = awsError("AccessDenied", 403);
  assert.match(explainS3("write", address, denied).hint ?? "", /allows s3:PutObject\.$/);
  assert.match(explainS3("list", address, denied).hint ?? "", /allows s3:ListBucket on the bucket itself\.$/);
  assert.match(explainS3("delete", address, denied).hint ?? "", /allows s3:DeleteObject\.$/);
});

test("names the bucket that AWS names", () => {
  const thrown = awsError("NoSuchBucket", 404, "no", { BucketName: "other" });
  assert.match(explainS3("copy", address, thrown).message, /there is no bucket other$/);
});

test("leaves our own errors as they are", async () => {
  const own = new RowcallError("OUTPUT_EXISTS", "s3://bucket/a exists already");
  await assert.rejects(
    explained("write", address, () => Promise.reject(own)),
    (error) => error === own,
  );
});
