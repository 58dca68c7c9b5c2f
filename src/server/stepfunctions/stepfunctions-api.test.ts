import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { GetActivityTaskCommand } from "@aws-sdk/client-sfn";
import type { AuditEntry } from "../../app/audit.ts";
import { createStepFunctionsApi, type StepFunctionsSetup } from "./stepfunctions-api.ts";
import { openLocalEngine } from "../../engines/local/local-engine.ts";
import { openActivityQueue } from "../../runs/activity-queue.ts";
import { openExecutionJournal } from "../../runs/execution-journal.ts";
import { createMachines } from "../../app/state-machines/list-machines.ts";
import { openExecutions } from "../../app/state-machines/open-executions.ts";
import { wire } from "../../app/wire.ts";
import { openTestEndpoint } from "../../../test/fakes/endpoint.ts";
import { useWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";

type Body = Record<string, unknown>;

describe("the Step Functions API", () => {
  let workspace: Workspace;
  let setup: StepFunctionsSetup;
  let close: () => Promise<void>;
  useWorkspace(1, (made) => (workspace = made));

  beforeEach(() => {
    const wiring = wire({ env: {}, workingDirectory: workspace.folder });
    const { clock } = wiring.services;
    const engine = openLocalEngine(wiring);
    const machines = createMachines({ ...wiring, engine, stage: "prod" });
    const activities = openActivityQueue(":memory:");
    const journal = openExecutionJournal(workspace.at("executions.db"), clock);
    const executions = openExecutions({ machines, journal, clock });
    const closing = new AbortController();
    const place = { region: "eu-west-2", account: "210987654321" };
    setup = {
      ...place,
      machines,
      executions,
      engine,
      activities,
      clock,
      closing: closing.signal,
      authorize: async () => {},
      loopbackOnly: true,
    };
    close = async () => {
      closing.abort();
      await executions.close();
      activities.close();
      await engine.close();
    };
  });
  afterEach(() => close());

  const request = async (operation: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    createStepFunctionsApi(setup).request("/", {
      method: "POST",
      headers: { host: "localhost", "x-amz-target": `AWSStepFunctions.${operation}`, ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const call = async (operation: string, body: unknown): Promise<Body> =>
    (await (await request(operation, body)).json()) as Body;
  const arn = (rest: string): string => `arn:aws:states:eu-west-2:210987654321:${rest}`;
  const errorOf = async (operation: string, body: unknown): Promise<readonly unknown[]> => {
    const { __type, message } = await call(operation, body);
    return [String(__type).split("#")[1], message];
  };

  const endOf = async (executionArn: unknown): Promise<Body> => {
    for (;;) {
      const execution = await call("DescribeExecution", { executionArn });
      if (execution["status"] !== "RUNNING") return execution;
      await wait(5);
    }
  };

  it("answers as JSON 1.0, with an id of the request", async () => {
    const response = await request("ListActivities", {});
    assert.equal(response.headers.get("content-type"), "application/x-amz-json-1.0");
    assert.match(response.headers.get("x-amzn-requestid") ?? "", /^[\da-f-]{36}$/);
  });

  it("refuses what it does not know, is no JSON, or is too large", async () => {
    assert.deepEqual((await errorOf("TestState", {}))[0], "UnknownOperationException");
    assert.deepEqual((await errorOf("toString", {}))[0], "UnknownOperationException");
    assert.deepEqual((await errorOf("ListActivities", "{"))[0], "SerializationException");
    assert.deepEqual((await errorOf("ListActivities", { maxResults: "many" }))[0], "SerializationException");
    const large = await request("StartExecution", { input: "x".repeat(2 * 1024 * 1024) });
    assert.equal(large.status, 413);
  });

  it("answers nobody who calls it by another name than this machine's", async () => {
    const response = await request("ListActivities", {}, { host: "rebound.example:8083" });
    assert.match(await response.text(), /AccessDeniedException.*rebound\.example/);
    setup = { ...setup, loopbackOnly: false };
    assert.equal((await request("ListActivities", {}, { host: "rebound.example:8083" })).status, 200);
  });

  it("tells everything that is wrong with a request", async () => {
    assert.deepEqual(await errorOf("StartExecution", { name: "x".repeat(81) }), [
      "ValidationException",
      `2 validation errors detected: Value null at 'stateMachineArn' failed to satisfy constraint: Member must not be null; Value '${"x".repeat(81)}' at 'name' failed to satisfy constraint: Member must have length less than or equal to 80`,
    ]);
    const stateMachineArn = arn("stateMachine:doubler");
    assert.deepEqual(await errorOf("StartExecution", { stateMachineArn, name: "a b" }), [
      "InvalidName",
      "Invalid Name: 'a b'",
    ]);
    assert.deepEqual(await errorOf("DescribeExecution", { executionArn: stateMachineArn }), [
      "InvalidArn",
      "Invalid Arn: 'Resource type not valid in this context: stateMachine'",
    ]);
    assert.equal((await errorOf("ListExecutions", {}))[0], "ValidationException");
    assert.equal(
      (await errorOf("ListExecutions", { stateMachineArn, mapRunArn: arn("mapRun:a/b:c") }))[0],
      "ValidationException",
    );
    assert.equal((await errorOf("DescribeMapRun", { mapRunArn: arn("mapRun:a/b:c") }))[0], "ResourceNotFound");
  });

  it("says where a thing is that was looked for in another region or account", async () => {
    const elsewhere = "arn:aws:states:us-east-1:210987654321:stateMachine:batch-processor-prod";
    assert.deepEqual(await errorOf("DescribeStateMachine", { stateMachineArn: elsewhere }), [
      "StateMachineDoesNotExist",
      `State Machine Does Not Exist: '${elsewhere}'. Here it is '${arn("stateMachine:batch-processor-prod")}'`,
    ]);
  });

  it("does not let its state machines be changed, and says what to do instead", async () => {
    for (const operation of ["CreateStateMachine", "UpdateStateMachine", "DeleteStateMachine"]) {
      const [type, message] = await errorOf(operation, {});
      assert.equal(type, "ValidationException");
      assert.match(String(message), /rowcall agents publish/);
    }
    const { tags } = await call("ListTagsForResource", { resourceArn: arn("stateMachine:doubler") });
    assert.deepEqual(tags, []);
  });

  it("notes who started and changed what, and not who looked", async () => {
    const audited: AuditEntry[] = [];
    setup = { ...setup, audit: async (entry) => void audited.push(entry) };
    const stateMachineArn = arn("stateMachine:doubler");
    const { executionArn } = await call("StartExecution", { stateMachineArn, input: '{"n": 1}' });
    await call("DescribeExecution", { executionArn });
    await errorOf("StartExecution", { stateMachineArn: arn("stateMachine:nobody"), input: "{}" });
    assert.deepEqual(
      audited.map(({ via, action, target, outcome }) => [via, action, target, outcome]),
      [
        ["stepfunctions", "StartExecution", executionArn, "done"],
        ["stepfunctions", "StartExecution", arn("stateMachine:nobody"), "StateMachineDoesNotExist"],
      ],
    );
  });

  it("names an execution itself when nobody does, and takes an input larger than Step Functions would", async () => {
    const stateMachineArn = arn("stateMachine:doubler");
    const input = JSON.stringify({ n: 1, text: "x".repeat(900_000) });
    const { executionArn } = await call("StartExecution", { stateMachineArn, input });
    assert.match(String(executionArn), /:execution:doubler:[\da-f-]{36}$/);
    const [type] = await errorOf("StartExecution", { stateMachineArn, input: JSON.stringify("x".repeat(1024 * 1024)) });
    assert.equal(type, "InvalidExecutionInput");
  });

  it("fails an execution whose input is nested without end, and goes on", async () => {
    const deep = `{"n": 3, "x": ${"[".repeat(100_000)}${"]".repeat(100_000)}, "y": 12345678901234567890}`;
    for (const machine of ["doubler", "batch-processor-prod"]) {
      const stateMachineArn = arn(`stateMachine:${machine}`);
      const { executionArn } = await call("StartExecution", { stateMachineArn, input: deep });
      assert.equal((await endOf(executionArn))["status"], "FAILED", machine);
    }
  });

  it("redrives once for one client token", async () => {
    const stateMachineArn = arn("stateMachine:doubler");
    const { executionArn } = await call("StartExecution", { stateMachineArn, name: "three", input: '{"n": 3}' });
    const ended = (): Promise<Body> => endOf(executionArn);
    await ended();
    const first = await call("RedriveExecution", { executionArn, clientToken: "once" });
    const again = await call("RedriveExecution", { executionArn, clientToken: "once" });
    assert.deepEqual(again, first);
    const { redriveCount, redriveStatus, status } = await ended();
    assert.deepEqual([redriveCount, redriveStatus, status], [1, "REDRIVABLE", "FAILED"]);
    const listed = await call("ListExecutions", { stateMachineArn, redriveFilter: "NOT_REDRIVEN" });
    assert.deepEqual(listed, { executions: [] });
  });

  describe("activities", () => {
    const activityArn = arn("activity:rows");
    const take = (): Promise<Body> => call("GetActivityTask", { activityArn, workerName: "w1" });
    const schedule = (key: string): void =>
      setup.activities.schedule([{ activity: "rows", key, input: `{"key":"${key}"}` }]);
    beforeEach(async () => void (await call("CreateActivity", { name: "rows" })));

    it("hand out tasks and take what workers tell of them", async () => {
      schedule("one");
      const { taskToken, input } = await take();
      assert.equal(input, '{"key":"one"}');
      assert.deepEqual(await call("SendTaskHeartbeat", { taskToken }), {});
      assert.equal((await errorOf("SendTaskSuccess", { taskToken, output: "done" }))[0], "InvalidOutput");
      assert.deepEqual(await call("SendTaskSuccess", { taskToken, output: '{"a":1}' }), {});
      assert.deepEqual(setup.activities.find("one")?.end, { status: "succeeded", output: '{"a":1}' });
      assert.deepEqual(await errorOf("SendTaskHeartbeat", { taskToken }), [
        "TaskTimedOut",
        "Task Timed Out: 'Provided task does not exist anymore'",
      ]);
      schedule("two");
      const second = await take();
      await call("SendTaskFailure", { taskToken: second["taskToken"], error: "Boom", cause: "why" });
      assert.deepEqual(setup.activities.find("two")?.end, { status: "failed", error: "Boom", cause: "why" });
    });

    it("take JSON of any depth as text, and go on", async () => {
      for (const [key, output] of [
        ["lists", "[".repeat(100_000) + "]".repeat(100_000)],
        ["objects", `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`],
      ] as const) {
        schedule(key);
        const { taskToken } = await take();
        assert.equal((await errorOf("SendTaskSuccess", { taskToken, output: output.slice(1) }))[0], "InvalidOutput");
        assert.deepEqual(await call("SendTaskSuccess", { taskToken, output }), {});
        assert.deepEqual(setup.activities.find(key)?.end, { status: "succeeded", output });
      }
    });

    it("know tokens of tasks that were taken back from words that never were tokens", async () => {
      schedule("one");
      const { taskToken } = await take();
      setup.activities.cancel(["one"]);
      assert.equal((await errorOf("SendTaskHeartbeat", { taskToken }))[0], "TaskDoesNotExist");
      assert.deepEqual(await errorOf("SendTaskHeartbeat", { taskToken: "made up" }), [
        "InvalidToken",
        "Invalid Token: 'Invalid token'",
      ]);
    });

    it("keep a worker waiting for a while, then send it away with nothing", async () => {
      setup = { ...setup, longPollMs: 20 };
      assert.deepEqual(await take(), {});
      setup = { ...setup, longPollMs: 60_000 };
      const waiting = take();
      schedule("later");
      assert.equal((await waiting)["input"], '{"key":"later"}');
    });

    it("put a task back whose worker went away before it had it", async () => {
      const away = new AbortController();
      const app = createStepFunctionsApi(setup);
      schedule("one");
      const answered = await app.request("/", {
        method: "POST",
        headers: { host: "localhost", "x-amz-target": "AWSStepFunctions.GetActivityTask" },
        body: JSON.stringify({ activityArn }),
        signal: away.signal,
      });
      assert.equal(answered.status, 200);
      away.abort();
      assert.equal((await take())["input"], '{"key":"one"}');
    });
  });
});

describe("a worker whose connection breaks while it waits", () => {
  let workspace: Workspace;
  useWorkspace(1, (made) => (workspace = made));

  it("takes no task with it", async () => {
    const endpoint = await openTestEndpoint(workspace);
    const queue = openActivityQueue(workspace.at(".rowcall", "activities.db"));
    try {
      queue.createActivity("rows");
      const gone = new AbortController();
      const command = new GetActivityTaskCommand({
        activityArn: `${endpoint.prefix}activity:rows`,
        workerName: "gone",
      });
      const asked = endpoint.client.send(command, { abortSignal: gone.signal });
      while (queue.recentWorkers("rows", 60_000).length === 0) await wait(5);
      gone.abort();
      await assert.rejects(asked, { name: "AbortError" });
      queue.schedule([{ activity: "rows", key: "one", input: '{"n":1}' }]);
      const task = await queue.take("rows", "w2", AbortSignal.timeout(10_000));
      assert.equal(task?.input, '{"n":1}');
    } finally {
      queue.close();
      await endpoint.close();
    }
  });
});
