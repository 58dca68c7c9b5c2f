import assert from "node:assert/strict";
import { test } from "node:test";
import { awsClientConfig, awsSettings, parseArn } from "./aws.ts";

const keys = { AWS_ACCESS_KEY_ID: "AKIA", AWS_SECRET_ACCESS_KEY: "secret" };

test("a service's own endpoint wins over the one for all, and an option over both", () => {
  const env = { AWS_ENDPOINT_URL: "http://all", AWS_ENDPOINT_URL_S3: "http://s3", AWS_ENDPOINT_URL_SNS: "" };
  assert.deepEqual(
    ["S3" as const, "SNS" as const].map((service) => awsClientConfig(awsSettings(env), service).endpoint),
    ["http://s3", "http://all"],
  );
  const optioned = awsSettings(env, { endpointUrl: "http://option" });
  assert.equal(awsClientConfig(optioned, "S3").endpoint, "http://option");
  const ignoring = { ...env, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" };
  assert.deepEqual(awsSettings(ignoring).endpoints, {});
  assert.equal(awsSettings(ignoring, { endpointUrl: "http://option" }).endpoints.S3, "http://option");
});

test("keys from the environment count until a profile is named, as they do for the AWS command line", () => {
  assert.deepEqual(awsSettings({ ...keys, AWS_SESSION_TOKEN: "token" }).credentials, {
    accessKeyId: "AKIA",
    secretAccessKey: "secret",
    sessionToken: "token",
  });
  assert.deepEqual(awsSettings({ ...keys, AWS_PROFILE: "work" }), { profile: "work", endpoints: {} });
  assert.deepEqual(awsSettings(keys, { profile: "CGI-PoC" }), { profile: "CGI-PoC", endpoints: {} });
  assert.deepEqual(awsSettings({ AWS_ACCESS_KEY_ID: "half" }), { endpoints: {} });
});

test("the region comes from the option, then AWS_REGION, then AWS_DEFAULT_REGION; an ARN's wins over all", () => {
  const env = { AWS_REGION: "eu-west-1", AWS_DEFAULT_REGION: "us-east-1" };
  assert.equal(awsSettings(env).region, "eu-west-1");
  assert.equal(awsSettings({ ...env, AWS_REGION: "" }).region, "us-east-1");
  assert.equal(awsSettings(env, { region: "eu-west-2" }).region, "eu-west-2");
  assert.equal(awsClientConfig(awsSettings(env), "SFN", "ap-south-1").region, "ap-south-1");
});

test("reads an ARN, colons in its resource included", () => {
  assert.deepEqual(parseArn("arn:aws-cn:states:cn-north-1:123456789012:execution:batch:run 1"), {
    partition: "aws-cn",
    service: "states",
    region: "cn-north-1",
    account: "123456789012",
    resource: "execution:batch:run 1",
  });
  for (const text of ["", "arn", "arn:aws:states:eu-west-1:123456789012", "no_an_activity_arn"])
    assert.equal(parseArn(text), undefined, text);
});
