import assert from "node:assert/strict";
import { test } from "node:test";
import { isPath, splitRegistries } from "./catalog-place.ts";

test("splits as PATH is split, where a URI's colon does not separate", () => {
  const addresses = [
    "registry",
    "/srv/my registry",
    "./file",
    "s3://bucket/prefix",
    "dynamodb:AgentRegistry-prod",
    "file:///srv/registry",
    "file:relative",
    "dynamodb:TemplateRegistry-prod",
    "dynamodb://Other",
    "memory:r",
    "../up",
  ];
  assert.deepEqual(splitRegistries(addresses.join(":"), ":"), addresses);
  assert.deepEqual(splitRegistries(addresses.toReversed().join(":"), ":"), addresses.toReversed());
  const windows = [...addresses, String.raw`C:\registry`];
  assert.deepEqual(splitRegistries(windows.join(";"), ";"), windows);
});

test("leaves out what is empty between two separators", () => {
  assert.deepEqual(splitRegistries(":a::b:", ":"), ["a", "b"]);
  assert.deepEqual(splitRegistries(";a;;b;", ";"), ["a", "b"]);
  assert.deepEqual(splitRegistries(":", ":"), []);
});

test("a path whose end looks like a scheme is a path", () => {
  assert.deepEqual(splitRegistries("profile:x", ":"), ["profile", "x"]);
  assert.deepEqual(splitRegistries("a/dynamodb:x", ":"), ["a/dynamodb", "x"]);
});

test("tells paths from URIs", () => {
  for (const path of ["registry", "/a", "./dynamodb:x", "C:\\registry", "-"]) assert.ok(isPath(path), path);
  for (const uri of ["file:///a", "FILE:a", "s3://b", "dynamodb:T", "memory:r"]) assert.ok(!isPath(uri), uri);
});
