import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { parseBatch } from "../core/batch-file.ts";
import type { RunEvent } from "../core/engine.ts";
import { RowcallError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { openStores } from "../stores/open-store.ts";
import { openEngine } from "../app/wire.ts";
import { startCollector, type Collector, type ReceivedSpan } from "../../test/fakes/collector.ts";
import { createTestServices, type TestInvoke } from "../../test/fakes/services.ts";
import { telemetrySettings } from "./telemetry-settings.ts";

const secret = "12 High Street";

describe("an engine with telemetry", () => {
  let folder: string;
  let collector: Collector;
  let events: RunEvent[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rowcall-telemetry-"));
    collector = await startCollector();
    events = [];
  });
  afterEach(async () => {
    await collector.close();
    await rm(folder, { recursive: true });
  });

  /** Runs a table of so many rows and closes the engine; row 1 fails once, row 2 fails whenever it is tried. */
  async function run(env: Readonly<Record<string, string>> = {}, rows = 4, invoke: TestInvoke = lookUp): Promise<Run> {
    const input = join(folder, "in.csv");
    await writeFile(input, `a\n${Array.from({ length: rows }, (_, n) => `${secret} ${n}\n`).join("")}`);
    const services = createTestServices({ store: openStores({ baseDirectory: folder }), invoke });
    const telemetry = telemetrySettings({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env });
    const places = { dataDirectory: join(folder, "data"), recordingsPrefix: join(folder, "recordings") };
    const engine = await openEngine({ services, ...places, ...(telemetry === undefined ? {} : { telemetry }) });
    const retry_strategy = { max_attempts: 1, interval_seconds: 0.001 };
    const batch = parseBatch(
      {
        agent_name: "echo",
        input,
        output: join(folder, "out.csv"),
        input_mapping: { column_mappings: [{ csv_column: "a", agent_input_field: "field" }] },
        execution_config: { max_concurrency: 2, retry_strategy },
      },
      "batch",
    );
    try {
      return await engine.start({ batch, force: true }, { onEvent: (event) => events.push(event) });
    } finally {
      await engine.close();
    }
  }

  const lookUp: TestInvoke = async ({ field }, { row, attempt, artifacts }) => {
    artifacts.step({ name: `fill ${String(field)}`, status: "done", durationMs: 0.25, detail: String(field) });
    artifacts.step({ name: String(field), status: row === 2 ? "failed" : "done", durationMs: 60_000 });
    if (row === 2 || (row === 1 && attempt === 1))
      throw new RowcallError("AGENT_FAILED", `No luck with ${String(field)}`);
    return { structured_output: { field: String(field), extra: "" } };
  };

  const warnings = (): readonly string[] =>
    events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
  const named = (name: string): readonly ReceivedSpan[] => collector.spans().filter((span) => span.name === name);

  it("sends run, rows, attempts and steps, each within the one above, with the times of the journal", async () => {
    const { id, counts } = await run({ OTEL_SERVICE_NAME: "lookups", OTEL_EXPORTER_OTLP_HEADERS: "api-key=k" });
    assert.deepEqual([counts.succeeded, counts.failed], [3, 1]);
    const spans = collector.spans();
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    const parents = { run: undefined, row: "run", attempt: "row", fill: "attempt", step: "attempt" };
    for (const [name, parent] of Object.entries(parents)) {
      assert.ok(named(name).length > 0, name);
      for (const span of named(name)) {
        const above = byId.get(span.parentSpanId ?? "");
        assert.equal(above?.name, parent);
        assert.ok(span.startedAt <= span.endedAt);
        assert.ok(above === undefined || (above.startedAt <= span.startedAt && span.endedAt <= above.endedAt));
      }
    }
    assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1);
    const told = events.flatMap((event) => (event.type === "attempt" ? [event.attempt] : []));
    const sent = named("attempt").map(({ attributes, startedAt, endedAt }) => ({
      row: attributes["rowcall.row"],
      number: attributes["rowcall.attempt"],
      startedAt,
      endedAt,
    }));
    assert.deepEqual(
      sent,
      told.map(({ row, number, startedAt, endedAt }) => ({ row, number, startedAt, endedAt })),
    );
    const root = named("run")[0];
    assert.deepEqual(root?.attributes, {
      "rowcall.run.id": id,
      "rowcall.agent": "echo@1.2.3",
      "rowcall.rows": 4,
      "rowcall.run.status": "succeeded",
      "rowcall.rows.succeeded": 3,
      "rowcall.rows.failed": 1,
    });
    assert.equal(root.isError, false);
    assert.equal(collector.resource()["service.name"], "lookups");
    assert.deepEqual([...new Set(collector.requests.map(({ headers }) => headers["api-key"]))], ["k"]);
  });

  it("marks what failed, and tells the code but nothing of what is in cells", async () => {
    await run();
    const failed = named("attempt").filter(({ isError }) => isError);
    assert.deepEqual(
      new Set(failed.map(({ attributes }) => `${attributes["rowcall.row"]}/${attributes["rowcall.attempt"]}`)),
      new Set(["1/1", "2/1", "2/2"]),
    );
    for (const { events: told, attributes } of failed) {
      assert.equal(attributes["error.type"], "AGENT_FAILED");
      assert.deepEqual(told, [{ name: "exception", attributes: { "exception.type": "AGENT_FAILED" } }]);
    }
    const rows = named("row").filter(({ isError }) => isError);
    assert.deepEqual(
      rows.map(({ attributes }) => [attributes["rowcall.row"], attributes["error.type"]]),
      [[2, "AGENT_FAILED"]],
    );
    assert.deepEqual(new Set(named("step").map(({ isError }) => isError)), new Set([false, true]));
    for (const body of collector.bodies()) assert.doesNotMatch(body, /High|luck/);
  });

  it("counts rows, attempts and runs, and how long attempts take", async () => {
    await run();
    const agent = { "rowcall.agent": "echo@1.2.3" };
    const succeeded = { ...agent, "rowcall.status": "succeeded" };
    const failed = { ...agent, "rowcall.status": "failed", "error.type": "AGENT_FAILED" };
    const sorted = (metric: string): object[] => [...collector.points(metric)].toSorted((a, b) => a.value - b.value);
    assert.deepEqual(sorted("rowcall.rows"), [
      { attributes: failed, value: 1 },
      { attributes: succeeded, value: 3 },
    ]);
    for (const metric of ["rowcall.attempts", "rowcall.attempt.duration"]) {
      assert.deepEqual(
        collector.points(metric).map(({ value }) => value),
        [3, 3],
      );
    }
    assert.deepEqual(collector.points("rowcall.runs"), [{ attributes: succeeded, value: 1 }]);
    assert.deepEqual(collector.points("rowcall.rows.in_flight"), [{ attributes: agent, value: 0 }]);
  });

  it("traces no run when the sampler says so, and still counts", async () => {
    await run({ OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0" });
    assert.deepEqual([...new Set(collector.requests.map(({ path }) => path))], ["/v1/metrics"]);
  });

  it("traces only failing rows when no others are asked for", async () => {
    await run({ ROWCALL_TRACE_ROWS: "0" });
    assert.deepEqual(new Set(named("row").map(({ attributes }) => attributes["rowcall.row"])), new Set([1, 2]));
  });

  it("leaves out what finds no room on the way to the collector, and says so", async () => {
    // The run's own span and a row of one attempt with two steps are five.
    const { counts } = await run({ OTEL_BSP_MAX_QUEUE_SIZE: "4" });
    assert.equal(counts.succeeded, 3);
    assert.deepEqual(
      collector.spans().map(({ name }) => name),
      ["run"],
    );
    assert.equal(named("run")[0]?.attributes["rowcall.attempts.untraced"], 6);
    assert.equal(warnings().length, 1);
    assert.match(warnings()[0] ?? "", /^The collector did not keep up: 6 attempts are not in the trace of run /);
  });

  it("sends no attempt without its row, however little room there is", async () => {
    await run({ OTEL_BSP_MAX_QUEUE_SIZE: "9" }, 30);
    const ids = new Set(collector.spans().map(({ spanId }) => spanId));
    for (const { spanId, parentSpanId = spanId } of collector.spans()) assert.ok(ids.has(parentSpanId));
    assert.ok(named("attempt").length > 0);
  });

  for (const answer of [500, "hang"] as const) {
    it(`ends a run as ever when the collector ${answer === "hang" ? "hangs" : "fails"}, with one warning`, async () => {
      await collector.close();
      collector = await startCollector(answer);
      const { status } = await run({ OTEL_EXPORTER_OTLP_TIMEOUT: "50" });
      assert.equal(status, "succeeded");
      assert.ok(collector.requests.length >= 2);
      assert.equal(warnings().length, 1);
      assert.match(warnings()[0] ?? "", /^Telemetry does not reach its collector: /);
    });
  }

  it("says once what of the environment cannot be used", async () => {
    await run({ OTEL_TRACES_SAMPLER: "often" });
    assert.deepEqual(warnings(), [
      'Telemetry: OTEL_TRACES_SAMPLER is "often", which is no sampler; every run is traced',
    ]);
    assert.equal(named("run").length, 1);
  });
});
