import assert from "node:assert/strict";
import { test } from "node:test";
import { folderOf, parseS3Address } from "./s3-client.ts";

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
