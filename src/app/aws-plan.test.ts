import assert from "node:assert/strict";
import { test } from "node:test";
import { readBatch } from "../core/batch-file.ts";
import type { JsonObject } from "../core/json.ts";
import { openRegistry } from "../registry/open-registry.ts";
import { openMemoryStore } from "../stores/memory-store.ts";
import { createTestServices } from "../../test/fakes/services.ts";
import { planBatch, type Plan } from "./plan.ts";
import { planOnAws, type AwsPlan, type AwsPlanOptions } from "./aws-plan.ts";
import { mostRows, requireRunSize, sizesOfRun } from "../engines/aws/cost.ts";
import { quotas } from "../engines/aws/prices.ts";

const agent = {
  agent_name: "lookup",
  version: "1.0.0",
  kind: "lambda",
  config: { function: "lookup-prod" },
  structured_output: { enabled: true, output_fields: ["speed"] },
  estimate: { seconds_per_row: 12 },
};

interface World {
  readonly agent?: JsonObject;
  readonly batch?: JsonObject;
  readonly street?: string;
  readonly options?: Partial<AwsPlanOptions>;
  /** Laid over what was planned. */
  readonly planned?: Partial<Plan>;
}

async function plan({ agent: own = {}, batch: given = {}, street = "High Street", options, planned }: World = {}) {
  const store = openMemoryStore({ clock: () => 0 });
  await store.write("memory:registry/agents/lookup_v1.0.0.json", Buffer.from(JSON.stringify({ ...agent, ...own })));
  await store.write("memory:in.csv", Buffer.from(`street\n${street}\nB\nC\n`));
  const services = {
    ...createTestServices({ store, invoke: async () => ({}) }),
    registry: openRegistry({ store, registries: ["memory:registry"] }),
  };
  const file = {
    agent: "lookup",
    input: "memory:in.csv",
    output: "memory:out/",
    input_mapping: { column_mappings: { street: "street" } },
    ...given,
  };
  const { data: batch } = readBatch(file);
  assert.ok(batch !== undefined);
  const local = { ...(await planBatch(services, batch)), ...planned };
  return planOnAws(services, batch, local, {
    recordingsPrefix: "s3://recordings/",
    region: "eu-west-1",
    browserHost: "fleet",
    ...options,
  });
}

const check = ({ checks }: AwsPlan, id: string): string => {
  const found = checks.find((one) => one.id === id);
  return `${found?.status}: ${found?.detail}`;
};

test("a batch that can run there passes, and costs something by part", async () => {
  const planned = await plan();
  assert.deepEqual(
    planned.checks.filter(({ id, status }) => id.startsWith("aws_") && status !== "passed").map(({ id }) => id),
    ["aws_places"],
  );
  assert.equal(planned.runnable, true);
  assert.equal(check(planned, "aws_agent"), "passed: Kind lambda: function lookup-prod");
  assert.equal(planned.aws.cost?.rows, 3);
  assert.equal(planned.aws.cost?.usd.agentMachine, 0);
  assert.ok((planned.aws.cost?.usd.browser ?? 0) > 0);
});

test("what cannot run there keeps the batch from running", async () => {
  const http = await plan({ agent: { kind: "http", config: {} } });
  assert.match(check(http, "aws_agent"), /^failed: Agents of kind "http" cannot run on Step Functions/);
  assert.equal(http.runnable, false);
  const nameless = await plan({ agent: { kind: "stepfunctions", config: {} } });
  assert.match(check(nameless, "aws_agent"), /^failed: Agent lookup names nothing/);
  const secretive = await plan({ agent: { config: { function: "lookup", secrets: ["KEY"] } } });
  assert.match(
    check(secretive, "aws_agent"),
    /^failed: Agent lookup has secrets, which nothing masks on Step Functions/,
  );
  const limited = await plan({ batch: { execution_config: { rate_limit: { requests_per_second: 2 } } } });
  assert.match(check(limited, "aws_rate_limit"), /^failed: .* 2 requests per second/);
  assert.match(check(limited, "aws_agent"), /^passed/);
  const unknown = await plan({ batch: { agent: "nobody" } });
  assert.match(check(unknown, "aws_agent"), /^skipped/);
  assert.match(check(unknown, "aws_payload"), /^skipped/);
});

test("the largest row is measured with all that travels with it", async () => {
  assert.match(check(await plan(), "aws_payload"), /^passed: The largest is 1 KiB of 256 KiB/);
  assert.match(check(await plan({ street: "x".repeat(230 * 1024) }), "aws_payload"), /^warning: .* 23\d KiB/);
  assert.match(check(await plan({ street: "x".repeat(256 * 1024) }), "aws_payload"), /^failed: .* 25\d KiB/);
});

test("a concurrency that is not reached is to look at, and says why", async () => {
  const config = (max_concurrency: number) => ({ batch: { execution_config: { max_concurrency } } });
  assert.equal(check(await plan(config(1000)), "aws_concurrency"), "passed: 1000");
  assert.match(check(await plan(config(2000)), "aws_concurrency"), /of which 1200 are reached: a map starts 100 rows/);
  const slow = { agent: { estimate: { seconds_per_row: 600 } }, ...config(20_000) };
  assert.match(check(await plan(slow), "aws_concurrency"), /of which 10000 are reached: a map runs 10000 at once/);
});

test("rates are those of the region", async () => {
  const quick = {
    agent: { kind: "stepfunctions", config: { state_machine_arn: "arn:aws:states:eu-west-1:1:stateMachine:x" } },
    batch: { execution_config: { max_concurrency: 100 } },
  };
  assert.match(
    check(await plan(quick), "aws_rates"),
    /of 5000 transitions a second, .* of 300 executions .* eu-west-1$/,
  );
  const elsewhere = await plan({ ...quick, options: { region: "eu-central-1" } });
  assert.match(check(elsewhere, "aws_rates"), /of 800 transitions a second, .* of 150 executions .* eu-central-1$/);
});

test("attempts that outlast a function, or a year, are told", async () => {
  const config = (timeout_seconds: number, max_attempts: number) => ({
    batch: { execution_config: { timeout_seconds, retry_strategy: { max_attempts } } },
  });
  assert.match(check(await plan(config(1000, 0)), "aws_time"), /^warning: timeout_seconds is 1000, .* after 900/);
  assert.match(check(await plan(config(900, 0)), "aws_time"), /^passed/);
  const machine = { agent: { kind: "stepfunctions", config: { state_machine_arn: "arn:x" } } };
  assert.match(check(await plan({ ...machine, ...config(1000, 0) }), "aws_time"), /^passed/);
  assert.match(check(await plan({ ...machine, ...config(10_000_000, 9) }), "aws_time"), /^failed: .* after a year/);
});

test("a table that is too large is told with the size of its parts, and refused by Prepare", async () => {
  const rows = 2 * mostRows;
  const large = await plan({ planned: { rows } });
  assert.match(check(large, "aws_size"), new RegExp(`^failed: ${rows} rows, of ${mostRows}`));
  const hint = large.checks.find(({ id }) => id === "aws_size")?.hint;
  assert.equal(hint, `Run it in parts of up to ${mostRows} rows: --rows.`);
  const wide = await plan({ planned: { rows: 1000, inputBytes: { largest: 20e6, total: 20e9 } } });
  assert.match(check(wide, "aws_size"), /^failed/);
  assert.throws(() => requireRunSize(mostRows + 1), { code: "BATCH_INVALID" });
  requireRunSize(mostRows);
  const { prepareSeconds, finishSeconds, diskBytes } = sizesOfRun(mostRows);
  assert.ok(Math.max(prepareSeconds, finishSeconds) < 0.8 * quotas.functionSeconds);
  assert.ok(diskBytes < 0.8 * quotas.functionDiskBytes);
});

test("without seconds per row there is no cost, and checks that need them are skipped", async () => {
  const planned = await plan({ agent: { estimate: {} } });
  assert.equal(planned.aws.cost, undefined);
  assert.match(check(planned, "aws_concurrency"), /^skipped: It is not known how long a row takes/);
  assert.match(check(planned, "aws_rates"), /^skipped/);
});
