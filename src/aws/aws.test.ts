import assert from "node:assert/strict";
import { test } from "node:test";
import { awsClientConfig, awsError, awsSettings, explainAws, parseArn } from "./aws.ts";

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

const thrown = (name: string, status?: number, message = "said AWS"): Error =>
  Object.assign(new Error(message), { name }, status === undefined ? {} : { $metadata: { httpStatusCode: status } });

const cases: readonly (readonly [what: string, thrown: unknown, kind: string, hint: RegExp])[] = [
  ["no credentials", thrown("CredentialsProviderError"), "denied", /aws configure/],
  ["expired credentials", thrown("ExpiredTokenException", 400), "denied", /Sign in again/],
  ["unknown credentials", thrown("InvalidAccessKeyId", 403), "denied", /--profile/],
  ["a policy that forbids", thrown("AccessDenied", 403), "denied", /policy/],
  ["a HEAD without a body that is forbidden", thrown("UnknownError", 403, "UnknownError"), "denied", /policy/],
  ["no region", new Error("Region is missing"), "denied", /--region/],
  ["another region", thrown("PermanentRedirect", 301), "denied", /--region/],
  ["no such thing", thrown("NoSuchBucket", 404), "missing", /account and the region/],
  ["no such execution", thrown("ExecutionDoesNotExist", 400), "missing", /account and the region/],
  ["a condition that did not hold", thrown("PreconditionFailed", 412), "conflict", /Another process/],
  ["a request that is wrong", thrown("ValidationException", 400), "invalid", /Correct/],
  ["too many calls", thrown("ThrottlingException", 400), "transient", /max_concurrency/],
  [
    "nobody listens",
    Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" }),
    "transient",
    /--endpoint-url/,
  ],
  ["a fault of AWS", thrown("InternalError", 500), "transient", /Try again/],
  ["something that is no error", "oops", "transient", /Try again/],
];

for (const [what, error, kind, hint] of cases) {
  test(`tells ${what} as ${kind}, with what to do`, () => {
    const problem = explainAws(error);
    assert.equal(problem.kind, kind);
    assert.match(problem.hint, hint);
    assert.notEqual(problem.what, "");
  });
}

test("a policy that forbids is told in AWS's own words, which name the action and who lacks it", () => {
  const words = "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: states:StartExecution";
  assert.equal(explainAws(thrown("AccessDeniedException", 400, words)).what, words);
});

test("an error says what was tried and keeps AWS's name and the cause", () => {
  const cause = thrown("ThrottlingException", 400);
  const error = awsError("start an execution", cause);
  assert.equal(error.code, "AWS_FAILED");
  assert.match(error.message, /^Cannot start an execution: AWS is limiting/);
  assert.deepEqual(error.details, { awsError: "ThrottlingException" });
  assert.equal(error.cause, cause);
  assert.equal(awsError("read", thrown("AccessDenied", 403)).code, "AWS_DENIED");
  assert.equal(awsError("read", error), error);
});
