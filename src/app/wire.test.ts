import assert from "node:assert/strict";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { wire } from "./wire.ts";

test("places come from options, else from the environment, else from the working directory", () => {
  const workingDirectory = "/work/jobs";
  const usual = wire({ workingDirectory, env: { ROWCALL_DATA_DIR: "" } });
  assert.equal(usual.dataDirectory, join(workingDirectory, ".rowcall"));
  assert.deepEqual(usual.registries, [join(workingDirectory, "registry")]);
  assert.equal(usual.host.chromiumPath, undefined);

  const env = {
    ROWCALL_DATA_DIR: "data",
    ROWCALL_REGISTRY: ["a", "/b"].join(delimiter),
    ROWCALL_CHROMIUM: "chrome",
    TOKEN: "t",
  };
  const set = wire({ workingDirectory, env });
  assert.equal(set.dataDirectory, "/work/jobs/data");
  assert.deepEqual(set.registries, ["/work/jobs/a", "/b"]);
  assert.equal(set.host.chromiumPath, "/work/jobs/chrome");
  assert.equal(set.host.secret("TOKEN"), "t");

  assert.equal(set.recordingsPrefix, "/work/jobs/data/recordings");
  const bucket = wire({ workingDirectory, env: { ROWCALL_RECORDINGS: "s3://recordings/" } });
  assert.equal(bucket.recordingsPrefix, "s3://recordings/");
  assert.equal(wire({ workingDirectory, env: { ROWCALL_RECORDINGS: "kept" } }).recordingsPrefix, "/work/jobs/kept");

  const chosen = wire({ workingDirectory, env, dataDirectory: "/d", registries: ["r"], chromiumPath: "/c" });
  assert.equal(chosen.dataDirectory, "/d");
  assert.deepEqual(chosen.registries, ["/work/jobs/r"]);
  assert.equal(chosen.host.chromiumPath, "/c");
});

test("registries may be URIs, which are no paths, also in ROWCALL_REGISTRY", () => {
  const workingDirectory = "/work/jobs";
  const addresses = ["s3://bucket/registry", "dynamodb:AgentRegistry-prod", "file:///srv/registry"];
  const registriesOf = (ROWCALL_REGISTRY: string): readonly string[] =>
    wire({ workingDirectory, env: { ROWCALL_REGISTRY } }).registries;
  assert.deepEqual(registriesOf([...addresses, "mine"].join(delimiter)), [...addresses, "/work/jobs/mine"]);
  assert.deepEqual(wire({ workingDirectory, env: {}, registries: addresses }).registries, addresses);
});

test("telemetry is there when the environment names a collector", () => {
  assert.equal(wire({ env: {} }).telemetry, undefined);
  const { telemetry } = wire({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/" } });
  assert.equal(telemetry?.traces?.url, "http://collector:4318/v1/traces");
});

test("a registry that cannot be reached is no error before it is used", async () => {
  const env = { AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
  const aws = { endpointUrl: "http://127.0.0.1:1" };
  const { services } = wire({ workingDirectory: "/", env, aws, registries: ["dynamodb:AgentRegistry-prod"] });
  await assert.rejects(services.registry.agents.resolve({ name: "lookup" }), {
    code: "AWS_FAILED",
    message: "Cannot look at the DynamoDB table AgentRegistry-prod: the endpoint cannot be reached",
  });
});
