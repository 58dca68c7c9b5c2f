import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { ActivityQueue } from "../../core/activity.ts";
import { activitiesPath, openActivityQueue } from "../../runs/activity-queue.ts";
import { startActivityEndpoint, type ActivityEndpoint } from "../../../test/fakes/activity-endpoint.ts";
import { createTestIo, type TestIo } from "../../../test/fakes/io.ts";
import { useWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";
import { runCli } from "../run-cli.ts";

const env = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };

describe("rowcall worker", () => {
  let workspace: Workspace;
  let queue: ActivityQueue;
  let endpoint: ActivityEndpoint;

  useWorkspace(6, (made) => (workspace = made));
  beforeEach(async () => {
    await mkdir(workspace.at(".rowcall"));
    queue = openActivityQueue(activitiesPath(workspace.at(".rowcall")));
    queue.createActivity("doubler");
    endpoint = await startActivityEndpoint(queue, { pollMs: 300 });
  });
  afterEach(async () => {
    await endpoint.close();
    queue.close();
  });

  const createIo = (over: Readonly<Record<string, string>> = env): TestIo =>
    createTestIo({ workingDirectory: workspace.folder, env: over });
  const worker = (io: TestIo, ...args: readonly string[]): Promise<number> =>
    runCli(["worker", "--endpoint-url", endpoint.url, ...args], io);
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) await wait(5);
  };
  const startRun = async (io: TestIo): Promise<number> => {
    await workspace.write("batch.json", {
      agent: "doubler",
      input: "rows.csv",
      output: "out.csv",
      execution_config: { dispatch: "activity", retry_strategy: { max_attempts: 0 } },
    });
    return runCli(["run", "batch.json", "--quiet"], io);
  };

  it("makes the attempts of a run over the API of Step Functions, and its log tells each", async () => {
    const [io, runIo] = [createIo(), createIo()];
    const working = worker(io, "--activity-arn", endpoint.arnOf("doubler"), "--name", "w1", "--max-tasks", "6");
    assert.equal(await startRun(runIo), 3);
    assert.equal(await working, 0);
    assert.match(await workspace.read("out.csv"), /^2,"row, 2",4,SUCCESS/m);
    assert.match(await workspace.read("out.csv"), /^3,"row, 3",,FAILED,.*,no luck with 3$/m);
    const lines = io.err().trimEnd().split("\n");
    assert.ok(lines.every((line) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ /.test(line)));
    assert.match(lines[0] ?? "", /worker w1 asks for rows of doubler, 4 at once$/);
    assert.match(io.err(), /row 2 of run \S+, attempt 1: started\n/);
    assert.match(io.err(), /row 2 of run \S+, attempt 1: succeeded in \d+ ms\n/);
    assert.match(io.err(), /row 3 of run \S+, attempt 1: failed after \d+ ms with AGENT_FAILED: no luck with 3\n/);
    assert.match(lines.at(-1) ?? "", /worker w1 ended after 6 attempts$/);

    const shown = createIo();
    await runCli(["rows", "last"], shown);
    assert.match(shown.out(), /Worker +Result\n/);
    await runCli(["show", "last"], shown);
    assert.match(shown.out(), /Worker +Attempts +Lost\nw1 +6 +0\n/);
  });

  it("logs entries in place of lines with ROWCALL_LOG=json", async () => {
    const io = createIo({ ...env, ROWCALL_LOG: "json" });
    const working = worker(io, "--activity-arn", endpoint.arnOf("doubler"), "--name", "w1", "--max-tasks", "6");
    await startRun(createIo());
    await working;
    const lines = io.err().trimEnd().split("\n");
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual([entries[0]?.["event"], entries.at(-1)?.["event"]], ["worker_started", "worker_stopped"]);
    const failed = entries.find(({ code }) => code !== undefined);
    const { event, level, worker: name, row, attempt, code, status } = failed ?? {};
    assert.deepEqual(
      { event, level, name, row, attempt, code, status },
      { event: "worker_ended", level: "info", name: "w1", row: 3, attempt: 1, code: "AGENT_FAILED", status: "failed" },
    );
  });

  it("prints JSON Lines when asked, and nothing else", async () => {
    const io = createIo();
    const working = worker(io, "--activity-arn", endpoint.arnOf("doubler"), "--max-tasks", "6", "--json");
    await startRun(createIo());
    await working;
    const events = io
      .out()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.equal(events.filter(({ type }) => type === "ended").length, 6);
    assert.ok(
      events.every(({ at, worker: name, activity }) => at !== undefined && name !== "" && activity === "doubler"),
    );
    assert.equal(io.err(), "");
  });

  it("works for several activities", async () => {
    const io = createIo();
    const arns = ["doubler", "other"].flatMap((name) => ["--activity-arn", endpoint.arnOf(name)]);
    const working = worker(io, ...arns);
    await startRun(createIo());
    io.interrupt();
    assert.equal(await working, 130);
    assert.match(io.err(), /asks for rows of other/);
  });

  it("waits for an activity that is not there yet, and names those that are", async () => {
    queue.createActivity("other");
    queue.deleteActivity("doubler");
    const io = createIo();
    const working = worker(io, "--activity-arn", endpoint.arnOf("doubler"), "--max-tasks", "6", "--quiet");
    await until(() => io.err() !== "");
    assert.match(io.err(), /warning: The activity is not there yet; .*There are: arn:aws:states:\S+:other\./);
    await startRun(createIo());
    assert.equal(await working, 0);
  });

  it("the first Ctrl-C lets rows under way end, the second ends at once", async () => {
    const io = createIo();
    const held = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    workspace.onRow = () => {
      begun.resolve();
      return held.promise;
    };
    const working = worker(io, "--activity-arn", endpoint.arnOf("doubler"), "--concurrency", "1");
    const running = startRun(createIo());
    await begun.promise;
    io.interrupt();
    assert.match(io.err(), /Takes no more rows; 1 in flight will finish\. Send the signal again to exit now\./);
    io.interrupt();
    assert.deepEqual(io.exits, [130]);
    held.resolve();
    assert.equal(await working, 130);
    assert.match(io.err(), /row 0 .*succeeded/);

    const next = worker(createIo(), "--activity-arn", endpoint.arnOf("doubler"), "--max-tasks", "5");
    assert.equal(await running, 3);
    assert.equal(await next, 0);
  });

  it("ends with a clear error when it is refused", async () => {
    const denying = await startActivityEndpoint(queue, {
      refuse: () => ({ type: "UnrecognizedClientException", message: "The security token is invalid" }),
    });
    const io = createIo();
    const arn = ["--activity-arn", endpoint.arnOf("doubler"), "--endpoint-url", denying.url];
    assert.equal(await runCli(["worker", ...arn], io), 2);
    assert.match(io.err(), /error: Cannot ask for tasks of activity arn:\S+: /);
    await denying.close();
  });

  it("says that nobody answers, and goes on when somebody does", async () => {
    const io = createIo();
    const port = Number(new URL(endpoint.url).port);
    await endpoint.close();
    const working = worker(io, "--activity-arn", endpoint.arnOf("doubler"), "--max-tasks", "6");
    await until(() => io.err().includes("warning:"));
    assert.match(io.err(), /warning: Cannot ask for tasks .*; trying again/);
    endpoint = await startActivityEndpoint(queue, { pollMs: 300, port });
    assert.equal(await startRun(createIo()), 3);
    assert.equal(await working, 0);
    assert.match(io.err(), /Connected again/);
  });

  it("refuses an ARN that is none of an activity", async () => {
    for (const arn of ["doubler", "arn:aws:states:eu-west-1:1:stateMachine:x"]) {
      const io = createIo();
      assert.equal(await worker(io, "--activity-arn", arn), 2);
      assert.match(io.err(), new RegExp(`error: "${arn}" is not the ARN of an activity\nhint: It looks like arn:`));
    }
  });
});
