import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListMapRunsCommand,
  paginateGetExecutionHistory,
  paginateListExecutions,
  RedriveExecutionCommand,
  StartExecutionCommand,
  StopExecutionCommand,
  UpdateMapRunCommand,
  type DescribeExecutionCommandOutput,
} from "@aws-sdk/client-sfn";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { startEmulators } from "../../cli/sandbox/emulators.ts";
import { openTestEndpoint, type TestEndpoint } from "../../../test/fakes/endpoint.ts";
import { useWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";

describe("the endpoint, as the AWS SDK sees it", () => {
  let workspace: Workspace;
  let endpoint: TestEndpoint;
  useWorkspace(8, (made) => (workspace = made));
  beforeEach(async () => {
    await workspace.write("config.json", {
      agent_name: "doubler",
      execution_config: { max_concurrency: 2, retry_strategy: { max_attempts: 0 } },
    });
    endpoint = await openTestEndpoint(workspace);
  });
  afterEach(() => endpoint.close());

  const seedInput = JSON.stringify({
    config_s3_uri: "config.json",
    input_csv_s3_uri: "rows.csv",
    output_s3_prefix: "out/",
  });
  const start = async (machine: string, name: string, input = seedInput): Promise<string> => {
    const stateMachineArn = `${endpoint.prefix}stateMachine:${machine}`;
    const { executionArn = "" } = await endpoint.client.send(
      new StartExecutionCommand({ stateMachineArn, name, input }),
    );
    return executionArn;
  };
  const describe_ = (executionArn: string): Promise<DescribeExecutionCommandOutput> =>
    endpoint.client.send(new DescribeExecutionCommand({ executionArn }));
  const ended = async (executionArn: string): Promise<DescribeExecutionCommandOutput> => {
    for (;;) {
      const execution = await describe_(executionArn);
      if (execution.status !== "RUNNING") return execution;
      await wait(5);
    }
  };
  const history = async (executionArn: string): Promise<readonly (readonly unknown[])[]> => {
    const { events = [] } = await endpoint.client.send(new GetExecutionHistoryCommand({ executionArn }));
    return events.map(({ id, previousEventId, type }) => [id, previousEventId, type]);
  };
  const mapRunOf = async (executionArn: string): Promise<string> => {
    for (;;) {
      const { mapRuns = [] } = await endpoint.client.send(new ListMapRunsCommand({ executionArn }));
      if (mapRuns[0]?.mapRunArn !== undefined) return mapRuns[0].mapRunArn;
      await wait(5);
    }
  };

  it("runs the seed's batch and tells it as Step Functions would", async () => {
    const executionArn = await start("batch-processor-prod", "monday");
    assert.equal(executionArn, "arn:aws:states:eu-west-1:123456789012:execution:batch-processor-prod:monday");
    const execution = await ended(executionArn);
    assert.equal(execution.status, "SUCCEEDED");
    const output = JSON.parse(execution.output ?? "") as Record<string, unknown>;
    const { run_id: runId, output_csv_s3_uri: uri, recordings_uri: recordings, ...counts } = output;
    assert.deepEqual(counts, { status: "SUCCEEDED", total_rows: 8, successful_rows: 7, failed_rows: 1 });
    assert.match(String(recordings), /^file:.*recordings/);
    assert.match(await readFile(String(uri), "utf8"), /^n,text,double,_status/);

    assert.deepEqual(await history(executionArn), [
      [1, 0, "ExecutionStarted"],
      [2, 0, "MapStateEntered"],
      [3, 2, "MapStateStarted"],
      [4, 3, "MapRunStarted"],
      [5, 4, "MapRunSucceeded"],
      [6, 5, "MapStateSucceeded"],
      [7, 5, "MapStateExited"],
      [8, 7, "ExecutionSucceeded"],
    ]);
    const mapRunArn = await mapRunOf(executionArn);
    assert.equal(mapRunArn, `${endpoint.prefix}mapRun:batch-processor-prod/rows:${String(runId)}`);
    const mapRun = await endpoint.client.send(new DescribeMapRunCommand({ mapRunArn }));
    assert.deepEqual(
      [mapRun.status, mapRun.maxConcurrency, mapRun.toleratedFailurePercentage, mapRun.itemCounts?.resultsWritten],
      ["SUCCEEDED", 2, 100, 8],
    );

    const listed = await endpoint.client.send(new ListExecutionsCommand({ mapRunArn, statusFilter: "FAILED" }));
    assert.deepEqual(
      listed.executions?.map(({ name }) => name),
      [`${String(runId)}-row-3`],
    );
    const row = await describe_(listed.executions?.[0]?.executionArn ?? "");
    assert.deepEqual([row.status, row.error, row.cause], ["FAILED", "AGENT_FAILED", "no luck with 3"]);
    assert.deepEqual(JSON.parse(row.input ?? ""), { n: "3", text: "row, 3" });
  });

  it("reads the seed's batch from S3, and writes its output there", async () => {
    await endpoint.close();
    const emulators = await startEmulators("eu-west-1");
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    const s3 = new S3Client({ endpoint: emulators.url, region: "eu-west-1", credentials, forcePathStyle: true });
    try {
      const Bucket = "batch-processor-prod";
      await s3.send(new CreateBucketCommand({ Bucket }));
      const put = async (Key: string, name: string): Promise<unknown> =>
        s3.send(new PutObjectCommand({ Bucket, Key, Body: await workspace.read(name) }));
      await put("configs/config.json", "config.json");
      await put("inputs/rows.csv", "rows.csv");
      endpoint = await openTestEndpoint(
        workspace,
        {},
        {
          AWS_ENDPOINT_URL_S3: emulators.url,
          AWS_REGION: "eu-west-1",
          AWS_ACCESS_KEY_ID: "test",
          AWS_SECRET_ACCESS_KEY: "test",
        },
      );
      const input = {
        config_s3_uri: `s3://${Bucket}/configs/config.json`,
        input_csv_s3_uri: `s3://${Bucket}/inputs/rows.csv`,
        output_s3_prefix: `s3://${Bucket}/outputs/`,
      };
      const execution = await ended(await start("batch-processor-prod", "s3", JSON.stringify(input)));
      assert.equal(execution.status, "SUCCEEDED", execution.cause);
      const { output_csv_s3_uri: uri } = JSON.parse(execution.output ?? "") as { output_csv_s3_uri: string };
      assert.match(uri, /^s3:\/\/batch-processor-prod\/outputs\/result-[\d-]+\.csv$/);
      const { Body: written } = await s3.send(
        new GetObjectCommand({ Bucket, Key: uri.slice(`s3://${Bucket}/`.length) }),
      );
      assert.match((await written?.transformToString()) ?? "", /^n,text,double,_status/);
    } finally {
      s3.destroy();
      await emulators.close();
    }
  });

  it("takes a batch whose sections stand in the input", async () => {
    const input = {
      csv_s3_uri: workspace.at("rows.csv"),
      target: { type: "agent", name: "doubler" },
      output: workspace.at("inline.csv"),
      output_mapping: { add_metadata: false },
      execution_config: { retry_strategy: { max_attempts: 0 } },
    };
    const execution = await ended(await start("batch-processor-prod", "inline", JSON.stringify(input)));
    assert.equal(execution.status, "SUCCEEDED", execution.cause);
    assert.match(await workspace.read("inline.csv"), /^n,text,double\n0,"row, 0",0\n/);
    const wrong = { ...input, target: "dubler" };
    const failed = await ended(await start("batch-processor-prod", "unknown-agent", JSON.stringify(wrong)));
    assert.deepEqual([failed.status, failed.error], ["FAILED", "AGENT_NOT_FOUND"]);
    assert.match(failed.cause ?? "", /doubler/);
  });

  it("fails an execution whose batch is wrong with our code and hint, and goes on with it once it is mended", async () => {
    const input = seedInput.replace("config.json", "later.json");
    const executionArn = await start("batch-processor-prod", "later", input);
    const failed = await ended(executionArn);
    assert.deepEqual([failed.status, failed.error, failed.redriveStatus], ["FAILED", "BATCH_NOT_FOUND", "REDRIVABLE"]);
    assert.deepEqual(
      (await history(executionArn)).map(([, , type]) => type),
      ["ExecutionStarted", "MapStateEntered", "ExecutionFailed"],
    );
    await workspace.write("later.json", await workspace.read("config.json"));
    await endpoint.client.send(new RedriveExecutionCommand({ executionArn }));
    const redriven = await ended(executionArn);
    assert.deepEqual([redriven.status, redriven.redriveCount], ["SUCCEEDED", 1]);
    assert.deepEqual(
      (await history(executionArn)).slice(3).map(([, , type]) => type),
      [
        "ExecutionRedriven",
        "MapStateStarted",
        "MapRunStarted",
        "MapRunSucceeded",
        "MapStateSucceeded",
        "MapStateExited",
        "ExecutionSucceeded",
      ],
    );
  });

  it("fails with Step Functions' own error when more rows fail than are tolerated; a redrive runs those again too", async () => {
    await workspace.write("config.json", {
      agent_name: "doubler",
      execution_config: {
        max_concurrency: 1,
        tolerated_failure_count: 0,
        retry_strategy: { max_attempts: 0 },
      },
    });
    let mended = false;
    workspace.onRow = (n) => {
      if (n === 1 && !mended) throw new Error("not yet");
    };
    await workspace.write("rows.csv", "n\n0\n1\n2\n");
    const executionArn = await start("batch-processor-prod", "strict");
    const failed = await ended(executionArn);
    assert.equal(failed.error, "States.ExceedToleratedFailureThreshold");
    assert.match(failed.cause ?? "", /Of 3 rows 1 succeeded, 1 failed and 1 were not begun/);
    mended = true;
    await endpoint.client.send(new RedriveExecutionCommand({ executionArn }));
    const done = await ended(executionArn);
    assert.deepEqual([done.status, done.error], ["SUCCEEDED", undefined]);
    assert.equal((JSON.parse(done.output ?? "") as { successful_rows: number }).successful_rows, 3);
    const types = (await history(executionArn)).map(([, , type]) => type);
    assert.deepEqual(types.slice(4, 9), [
      "MapRunFailed",
      "MapStateFailed",
      "ExecutionFailed",
      "ExecutionRedriven",
      "MapRunRedriven",
    ]);
    await assert.rejects(endpoint.client.send(new RedriveExecutionCommand({ executionArn })), {
      name: "ExecutionNotRedrivable",
      message: "Execution is SUCCEEDED and cannot be redriven",
    });
  });

  it("changes a map run's concurrency while it goes", async () => {
    const gate = Promise.withResolvers<void>();
    let [under, most] = [0, 0];
    workspace.onRow = async () => {
      most = Math.max(most, (under += 1));
      if (under === 5) gate.resolve();
      await gate.promise;
      under -= 1;
    };
    const executionArn = await start("batch-processor-prod", "wider");
    const mapRunArn = await mapRunOf(executionArn);
    for (let running = 0; running !== 2;) {
      const { itemCounts } = await endpoint.client.send(new DescribeMapRunCommand({ mapRunArn }));
      running = itemCounts?.running ?? 0;
    }
    await endpoint.client.send(
      new UpdateMapRunCommand({ mapRunArn, maxConcurrency: 5, toleratedFailurePercentage: 50 }),
    );
    const { maxConcurrency, toleratedFailurePercentage } = await endpoint.client.send(
      new DescribeMapRunCommand({ mapRunArn }),
    );
    assert.deepEqual([maxConcurrency, toleratedFailurePercentage], [5, 50]);
    assert.equal((await ended(executionArn)).status, "SUCCEEDED");
    assert.equal(most, 5);
    await assert.rejects(endpoint.client.send(new UpdateMapRunCommand({ mapRunArn, maxConcurrency: 1 })), {
      name: "ValidationException",
      reason: "CANNOT_UPDATE_COMPLETED_MAP_RUN",
    });
  });

  it("stops an execution at once, and a redrive goes on where its rows were", async () => {
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const seen: number[] = [];
    workspace.onRow = async (n) => {
      seen.push(n);
      entered.resolve();
      await gate.promise;
    };
    const executionArn = await start("batch-processor-prod", "stopped");
    await entered.promise;
    await endpoint.client.send(new StopExecutionCommand({ executionArn, error: "Cancelled", cause: "not today" }));
    const stopped = await describe_(executionArn);
    assert.deepEqual([stopped.status, stopped.error, stopped.cause], ["ABORTED", "Cancelled", "not today"]);
    assert.deepEqual((await history(executionArn)).slice(4), [
      [5, 4, "MapRunAborted"],
      [6, 5, "MapStateAborted"],
      [7, 0, "ExecutionAborted"],
    ]);
    await endpoint.client.send(new RedriveExecutionCommand({ executionArn }));
    gate.resolve();
    assert.equal((await ended(executionArn)).status, "SUCCEEDED");
    assert.deepEqual(
      seen.toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
  });

  it("goes on after a restart with what was running, and remembers what had ended", async () => {
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const seen: number[] = [];
    workspace.onRow = async (n) => {
      seen.push(n);
      entered.resolve();
      await gate.promise;
    };
    const agentArn = await start("doubler", "before", '{"n": 21}');
    const executionArn = await start("batch-processor-prod", "long");
    await entered.promise;
    await mapRunOf(executionArn);
    const closed = endpoint.close();
    gate.resolve();
    await closed;
    assert.ok(seen.length < 9);
    endpoint = await openTestEndpoint(workspace);
    assert.deepEqual(JSON.parse((await ended(agentArn)).output ?? ""), { structured_output: { double: 42 } });
    assert.equal((await ended(executionArn)).status, "SUCCEEDED");
    assert.deepEqual(
      seen.toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 21],
    );
    assert.equal((await history(executionArn)).length, 8);
  });

  it("runs an agent once, with its reply as output, and its failure as error and cause", async () => {
    const succeeded = await ended(await start("doubler", "two", '{"n": 2}'));
    assert.deepEqual(JSON.parse(succeeded.output ?? ""), { structured_output: { double: 4 } });
    const failedArn = await start("doubler", "three", '{"n": 3}');
    const failed = await ended(failedArn);
    assert.deepEqual([failed.status, failed.error, failed.cause], ["FAILED", "AGENT_FAILED", "no luck with 3"]);
    assert.deepEqual(await history(failedArn), [
      [1, 0, "ExecutionStarted"],
      [2, 0, "TaskStateEntered"],
      [3, 2, "TaskScheduled"],
      [4, 3, "TaskStarted"],
      [5, 4, "TaskFailed"],
      [6, 5, "ExecutionFailed"],
    ]);
    const listless = await ended(await start("doubler", "list", "[1]"));
    assert.equal(listless.error, "ROW_INVALID");
  });

  it("pages through executions and events, newest or oldest first, and takes a token for nothing else", async () => {
    const names = ["a", "b", "c", "d", "e"];
    for (const name of names) await ended(await start("doubler", name, '{"n": 1}'));
    const stateMachineArn = `${endpoint.prefix}stateMachine:doubler`;
    const { client } = endpoint;
    const pages = await Array.fromAsync(paginateListExecutions({ client, pageSize: 2 }, { stateMachineArn }));
    assert.deepEqual(
      pages.map(({ executions = [] }) => executions.map(({ name }) => name)),
      [["e", "d"], ["c", "b"], ["a"]],
    );
    const executionArn = `${endpoint.prefix}execution:doubler:a`;
    const backwards = await Array.fromAsync(
      paginateGetExecutionHistory({ client, pageSize: 3 }, { executionArn, reverseOrder: true }),
    );
    assert.deepEqual(
      backwards.map(({ events = [] }) => events.map(({ id }) => id)),
      [[7, 6, 5], [4, 3, 2], [1]],
    );
    const nextToken = pages[0]?.nextToken;
    for (const request of [
      new ListExecutionsCommand({ stateMachineArn, nextToken: "nonsense" }),
      new ListExecutionsCommand({ stateMachineArn, statusFilter: "FAILED", nextToken }),
    ]) {
      await assert.rejects(client.send(request), { name: "InvalidToken" });
    }
    const bare = await client.send(new GetExecutionHistoryCommand({ executionArn, includeExecutionData: false }));
    assert.equal(bare.events?.[0]?.executionStartedEventDetails?.input, undefined);
  });

  it("refuses a second server on the same data directory, and a port that is taken", async () => {
    await assert.rejects(openTestEndpoint(workspace), { code: "ENDPOINT_BUSY", message: /executions/ });
    const port = Number(new URL(endpoint.url).port);
    await workspace.write("other.txt", "");
    await assert.rejects(openTestEndpoint({ ...workspace, folder: workspace.at("elsewhere") }, { port }), {
      code: "ENDPOINT_BUSY",
      message: /Port \d+ of 127\.0\.0\.1 is taken/,
    });
  });
});
