import assert from "node:assert/strict";
import { after, before, describe, test, type TestContext } from "node:test";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { startEmulatedAws, type EmulatedAws } from "../../../test/asl/emulated-aws.ts";
import { testInterpreter } from "../../../test/asl/test-interpreter.ts";
import { createVirtualClock, settle } from "../../../test/asl/virtual-clock.ts";
import { awsClientConfig } from "../../aws/aws.ts";
import { openActivityQueue } from "../../runs/activity-queue.ts";
import { agentDefinition, type BrowserHost } from "./agent-definition.ts";
import { batchDefinition } from "./batch-definition.ts";
import { costOfRun, type BrowserHostName } from "./cost.ts";
import { figures } from "./prices.ts";
import type { RowSettings } from "./row-definition.ts";

const place = "eu-west-1:123456789012";
const activityArn = `arn:aws:states:${place}:activity:agent`;
const hosts: Readonly<Record<BrowserHostName, BrowserHost>> = {
  fleet: { kind: "activity", activityArn, heartbeatSeconds: 60 },
  lambda: { kind: "function", functionArn: "browser" },
};

let topicArn = "";

/** By row: how often it fails before it succeeds; with more failures than retries it is given up. */
type Failures = readonly number[];
const maxRetries = 2;

const settings: RowSettings = {
  run_id: "run",
  target: `arn:aws:states:${place}:stateMachine:agent`,
  task_timeout_seconds: 600,
  needs_output: true,
  retry: {
    max_attempts: maxRetries,
    interval_seconds: 1,
    backoff_rate: 2,
    max_delay_seconds: 60,
    full_jitter: false,
    codes: ["AGENT_FAILED"],
    max_losses: 3,
  },
  context: { timeout_seconds: 300 },
};

interface Asked {
  readonly row: number;
  readonly attempt: number;
}

/** What the agent answers to an attempt, or throws. */
function answer(failures: Failures, { row, attempt }: Asked): JsonObject {
  if (attempt <= (failures[row] ?? 0)) throw Object.assign(new Error('{"message":"no"}'), { name: "AGENT_FAILED" });
  return { structured_output: { ok: true } };
}

/** Runs the definitions that are deployed over rows, and counts the states that were entered and the children that were started. */
async function countEntered(context: TestContext, aws: EmulatedAws, host: BrowserHostName, failures: Failures) {
  const rows = failures.map((_, row) => JSON.stringify({ row, attempt: 1, input: { n: row } }));
  const key = `${context.name.replace(/\W+/g, "-")}/rows.jsonl`;
  await aws.put(key, rows.join("\n"));
  const plan = {
    run: { id: "run", uri: "s3://bucket/run" },
    bucket: "bucket",
    rows_key: key,
    results_prefix: `${key}/results`,
    rows: rows.length,
    target: "state_machine",
    max_concurrency: 2,
    tolerated_failure_percentage: 100,
    tolerated_failure_count: rows.length,
    batch: settings as unknown as JsonValue,
  };
  const time = createVirtualClock();
  const activities = openActivityQueue(":memory:", time);
  context.after(() => activities.close());
  activities.createActivity("agent");
  const interpreter = testInterpreter(
    context,
    {
      batch: batchDefinition({ partition: "aws", prepareArn: "prepare", finishArn: "finish", defaultTopicArn: "" }),
      agent: agentDefinition({ partition: "aws", agent: "agent", resolveArn: "resolve", host: hosts[host] }),
    } as unknown as Record<string, JsonObject>,
    {
      time,
      activities,
      aws: aws.settings,
      lambdas: {
        prepare: () => plan,
        finish: () => ({ output: { status: "SUCCEEDED" }, notification: { TopicArn: topicArn, Message: "done" } }),
        browser: (task) => answer(failures, task as unknown as Asked),
      },
    },
  );
  const over = new AbortController();
  const worker = work();
  const execution = await interpreter.run("batch");
  over.abort();
  await worker;
  assert.equal(execution.status, "SUCCEEDED", execution.cause);
  const [mapRun] = interpreter.listMapRuns(execution.executionArn);
  const children = interpreter.listExecutions({ mapRunArn: mapRun?.mapRunArn ?? "" });
  const agents = interpreter.listExecutions({ stateMachineArn: interpreter.arnOf("agent") });
  const eventsOf = (executions: readonly { readonly executionArn: string }[]): readonly string[] =>
    executions.flatMap(({ executionArn }) => interpreter.types(executionArn));
  const entered = eventsOf([execution, ...children, ...agents]).filter((type) => type.endsWith("StateEntered"));
  return {
    transitions: entered.length + children.length,
    succeeded: mapRun?.itemCounts.succeeded,
    events: { run: eventsOf([execution]).length, rows: eventsOf(children).length, agents: eventsOf(agents).length },
  };

  async function work(): Promise<void> {
    while (!over.signal.aborted) {
      const task = await activities.take("agent", "worker", over.signal);
      if (task === undefined) continue;
      try {
        activities.succeed(task.token, JSON.stringify(answer(failures, JSON.parse(task.input) as Asked)));
      } catch (thrown) {
        activities.fail(task.token, (thrown as Error).name, (thrown as Error).message);
      }
      await settle();
    }
  }
}

describe("what a run costs on AWS", () => {
  let aws: EmulatedAws;
  before(async () => {
    aws = await startEmulatedAws();
    const { CreateTopicCommand, SNSClient } = await import("@aws-sdk/client-sns");
    const client = new SNSClient(awsClientConfig(aws.settings, "SNS"));
    ({ TopicArn: topicArn = "" } = await client.send(new CreateTopicCommand({ Name: "told" })));
    client.destroy();
  });
  after(() => aws.close());

  for (const browserHost of ["fleet", "lambda"] as const) {
    for (const [what, failures] of [
      ["rows that succeed", [0, 0, 0]],
      ["rows that are tried again", [0, 1, 2]],
      ["rows that are given up", [0, 9, 1, 9]],
      ["a single row", [0]],
    ] as const) {
      test(`counts the transitions that the definitions make: ${what}, ${browserHost}`, async (context) => {
        const counted = await countEntered(context, aws, browserHost, failures);
        const rows = failures.length;
        const givenUp = failures.filter((many) => many > maxRetries).length;
        const retries = failures.reduce((sum: number, many) => sum + Math.min(many, maxRetries), 0);
        assert.equal(counted.succeeded, rows - givenUp);
        const { transitions } = costOfRun({
          rows,
          concurrency: 2,
          secondsPerRow: 1,
          browserHost,
          failureShare: givenUp / rows,
          retriesPerRow: retries / rows,
        });
        assert.equal(counted.transitions, Math.round(transitions));
      });
    }
  }

  for (const browserHost of ["fleet", "lambda"] as const) {
    test(`counts the events that are logged, few of them the run's own: ${browserHost}`, async (context) => {
      const { events } = await countEntered(context, aws, browserHost, [0, 0, 0]);
      assert.deepEqual(
        [events.rows, events.agents],
        [3 * figures.eventsPerAttempt.row, 3 * figures.eventsPerAttempt.agent],
      );
      assert.ok(events.run < 60, `${events.run}`);
    });
  }

  test("keeps the orchestration of 1,000 rows below 5.5 cents, less than half of three functions for each row", () => {
    const { orchestrationUsd, totalUsd, agentUsd } = costOfRun({ rows: 1000, concurrency: 10, secondsPerRow: 12.5 });
    assert.ok(orchestrationUsd <= 0.055, `${orchestrationUsd}`);
    // With functions of 256 MB for 200 ms, as the original product has them; all of it costs a dollar there, as documented.
    assert.ok(orchestrationUsd < 0.128 / 2);
    assert.ok(totalUsd < 1);
    assert.ok(Math.abs(orchestrationUsd + agentUsd - totalUsd) < 1e-9);
  });

  test("adds up: ten times the rows cost nearly ten times as much, and never less for each row than the rows themselves", () => {
    const costs = [10, 100, 1000, 10_000, 100_000].map((rows) =>
      costOfRun({ rows, concurrency: 100, secondsPerRow: 12.5 }),
    );
    const perRow = costs.map(({ totalUsd, rows }) => totalUsd / rows);
    assert.deepEqual(
      perRow,
      perRow.toSorted((a, b) => b - a),
    );
    for (const { usd, totalUsd, rows } of costs) {
      const sum = Object.values(usd).reduce((all, part) => all + part, 0);
      assert.ok(Math.abs(sum - totalUsd) < 1e-9);
      assert.ok(usd.rows >= rows * 0.000_05);
    }
  });

  test("a run of no rows costs the run alone and takes no time in the map", () => {
    const { usd, transitionsPerSecond, seconds } = costOfRun({ rows: 0, concurrency: 10, secondsPerRow: 12.5 });
    assert.deepEqual([usd.rows, usd.agentMachine, transitionsPerSecond], [0, 0, 0]);
    assert.ok(seconds < 12.5);
  });

  test("rows do not start faster than a map starts them, however wide it is", () => {
    const wide = costOfRun({ rows: 1_000_000, concurrency: 10_000, secondsPerRow: 12.5 });
    assert.equal(wide.reachedConcurrency, 1250);
    assert.ok(wide.seconds >= 10_000);
    const narrow = costOfRun({ rows: 1000, concurrency: 10, secondsPerRow: 12.5 });
    assert.equal(narrow.reachedConcurrency, 10);
  });

  test("a browser in a function costs its seconds; an agent's own price comes on top, retries included", () => {
    const fleet = costOfRun({ rows: 1000, concurrency: 10, secondsPerRow: 12 });
    const lambda = costOfRun({ rows: 1000, concurrency: 10, secondsPerRow: 12, browserHost: "lambda" });
    assert.equal(fleet.usd.browser, 0);
    assert.ok(Math.abs(lambda.usd.browser - 0.588) < 0.002, `${lambda.usd.browser}`);
    const paid = costOfRun({ rows: 1000, concurrency: 10, secondsPerRow: 12, agentCostUsd: 0.01, retriesPerRow: 0.5 });
    assert.ok(Math.abs(paid.usd.service - 15) < 1e-9);
  });
});
