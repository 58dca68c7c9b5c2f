import assert from "node:assert/strict";
import { test } from "node:test";
import { baseName, joinUri, resolveUri, schemeOf } from "./uri.ts";

test("reads the scheme of a URI in lower case", () => {
  assert.equal(schemeOf("s3://bucket/key"), "s3");
  assert.equal(schemeOf("HTTPS://example.com"), "https");
  assert.equal(schemeOf("memory:a"), "memory");
  assert.equal(schemeOf("arn:aws:sns:eu-west-1:1:topic"), "arn");
});

test("takes every path for a file: relative, absolute, with a drive letter, with a colon further in", () => {
  for (const path of ["rows.csv", "/tmp/a b.csv", "./s3:x", "C:\\data\\rows.csv", "c:/rows.csv", "a/b:c", "", "-"]) {
    assert.equal(schemeOf(path), "file", path);
  }
});

test("joins with exactly one slash", () => {
  assert.equal(joinUri("out", "a.csv"), "out/a.csv");
  assert.equal(joinUri("out//", "run", "a.csv"), "out/run/a.csv");
  assert.equal(joinUri("C:\\out\\", "a.csv"), "C:\\out/a.csv");
  assert.equal(joinUri("/", "a.csv"), "/a.csv");
});

test("a name joined to the empty prefix stays relative", () => {
  assert.equal(joinUri("", "a.csv"), "a.csv");
});

test("resolves a path from the folder of a URI, every character of it standing for itself", () => {
  const base = "s3://bucket/jobs//a b%20/batch.json";
  assert.equal(resolveUri(base, "rows #1.csv"), "s3://bucket/jobs//a b%20/rows #1.csv");
  assert.equal(resolveUri(base, "../out/"), "s3://bucket/jobs//out/");
  assert.equal(resolveUri(base, "./x//y"), "s3://bucket/jobs//a b%20/x//y");
  assert.equal(resolveUri(base, "../../../../../up.csv"), "s3://bucket/up.csv");
  assert.equal(resolveUri("s3://bucket/batch.json", "rows.csv"), "s3://bucket/rows.csv");
  assert.equal(resolveUri("memory:jobs/batch.json", "../rows.csv"), "memory:rows.csv");
});

test("resolves a path from a web page as a browser does", () => {
  const base = "https://example.com/jobs/batch.json?signature=a/b";
  assert.equal(resolveUri(base, "../rows 1.csv?v=2"), "https://example.com/rows%201.csv?v=2");
});

test("takes the last segment, a trailing slash aside", () => {
  assert.equal(baseName("s3://bucket/a/rows.csv"), "rows.csv");
  assert.equal(baseName("out/runs/"), "runs");
  assert.equal(baseName("C:\\data\\rows.csv"), "rows.csv");
  assert.equal(baseName("rows.csv"), "rows.csv");
});
