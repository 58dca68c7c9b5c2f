import assert from "node:assert/strict";
import { test } from "node:test";
import { telemetrySettings } from "./telemetry-settings.ts";

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };

test("nothing is switched on unless an endpoint is named", () => {
  assert.equal(telemetrySettings({}), undefined);
  assert.equal(telemetrySettings({ OTEL_EXPORTER_OTLP_ENDPOINT: "", OTEL_TRACES_SAMPLER: "always_on" }), undefined);
  assert.equal(telemetrySettings({ ...endpoint, OTEL_SDK_DISABLED: "TRUE" }), undefined);
});

test("an endpoint is for both, and one of its own is taken as it is", () => {
  const both = telemetrySettings({ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: "api-key=a%20b, other = c=d " });
  assert.equal(both?.traces?.url, "http://collector:4318/v1/traces");
  assert.equal(both.metrics?.url, "http://collector:4318/v1/metrics");
  assert.deepEqual(both.traces?.headers, { "api-key": "a b", other: "c=d" });

  const own = telemetrySettings({
    ...endpoint,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://traces/here",
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: "key=own",
    OTEL_METRICS_EXPORTER: "none",
  });
  assert.deepEqual(own?.traces, { url: "https://traces/here", headers: { key: "own" } });
  assert.equal(own.metrics, undefined);
});

test("the sender's attributes come from the environment", () => {
  assert.deepEqual(telemetrySettings(endpoint)?.resource, { "service.name": "rowcall" });
  const named = telemetrySettings({
    ...endpoint,
    OTEL_RESOURCE_ATTRIBUTES: "service.name=x,deployment.environment.name=prod",
    OTEL_SERVICE_NAME: "lookups",
  });
  assert.deepEqual(named?.resource, { "service.name": "lookups", "deployment.environment.name": "prod" });
});

test("samplers are those of OpenTelemetry", () => {
  const shareOf = (name: string, arg?: string): number | undefined =>
    telemetrySettings({ ...endpoint, OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: arg })?.runShare;
  assert.equal(shareOf("always_on", "0.1"), 1);
  assert.equal(shareOf("parentbased_always_off"), 0);
  assert.equal(shareOf("traceidratio", "0.25"), 0.25);
  assert.equal(shareOf("parentbased_traceidratio"), 1);
});

test("what cannot be used is told and done without, secrets untold", () => {
  const settings = telemetrySettings({
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "collector:4317",
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://collector:4317",
    OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "grpc",
    OTEL_RESOURCE_ATTRIBUTES: "secret",
    OTEL_TRACES_SAMPLER: "often",
    OTEL_BSP_MAX_QUEUE_SIZE: "many",
    ROWCALL_TRACE_ROWS: "2",
  });
  assert.equal(settings?.traces ?? settings?.metrics, undefined);
  assert.equal(settings?.queueSize, 2048);
  assert.deepEqual(
    settings.problems.map(({ message }) => message),
    [
      'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is "collector:4317", which is no address that begins with http:// or https://',
      "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL is grpc, and Rowcall speaks OTLP over HTTP only (usually port 4318)",
      "OTEL_RESOURCE_ATTRIBUTES is no list of key=value, separated by commas",
      'OTEL_TRACES_SAMPLER is "often", which is no sampler; every run is traced',
      'ROWCALL_TRACE_ROWS is "2", which is no number that it takes',
      'OTEL_BSP_MAX_QUEUE_SIZE is "many", which is no number that it takes',
    ],
  );
});
