import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { RowcallError } from "../../core/errors.ts";
import type { Services } from "../../core/services.ts";
import { createTestServices, echoAgent, type TestInvoke } from "../../../test/fakes/services.ts";
import { openStores } from "../../stores/open-store.ts";
import { openExecutionJournal, type Execution, type ExecutionJournal } from "../../runs/execution-journal.ts";
import { openLocalEngine } from "../../engines/local/local-engine.ts";
import { createMachines } from "./list-machines.ts";
import { openExecutions, type Executions } from "./open-executions.ts";

const echo: TestInvoke = async (input) => ({ structured_output: { field: input["a"] ?? null } });

describe("executions", () => {
  let folder: string;
  let journal: ExecutionJournal;
  let executions: Executions | undefined;
  let invoke: TestInvoke;
  let opened: number;
  let closed: number;
  const id = { machine: "echo", name: "one" };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rowcall-executions-"));
    journal = openExecutionJournal(join(folder, "executions.db"));
    [invoke, opened, closed] = [echo, 0, 0];
  });
  afterEach(async () => {
    if (executions === undefined) journal.close();
    else await executions.close();
    executions = undefined;
    await rm(folder, { recursive: true });
  });

  function open(agent = echoAgent): Executions {
    const test = createTestServices({
      store: openStores({ baseDirectory: folder }),
      agent,
      invoke: (input, context) => invoke(input, context),
    });
    const services: Services = {
      ...test,
      openAgent: async (...args) => {
        opened += 1;
        const invoker = await test.openAgent(...args);
        return { ...invoker, close: async () => void (closed += 1) };
      },
    };
    const engine = openLocalEngine({ services, dataDirectory: folder });
    const machines = createMachines({ services, engine, recordingsPrefix: folder, stage: "test" });
    executions = openExecutions({ machines, journal, clock: services.clock });
    return executions;
  }

  async function end(over: Executions, which: Pick<Execution, "machine" | "name"> = id): Promise<Execution> {
    for (;;) {
      const execution = over.find(which);
      if (execution !== undefined && execution.status !== "RUNNING") return execution;
      await wait(2);
    }
  }
  const typesOf = (over: Executions): string[] => over.history(id, "oldest", 100).map(({ type }) => type);

  it("make an attempt again that a crash cut off, and show that it was", async () => {
    journal.create({ ...id, input: '{"a": 1}' }, { type: "ExecutionStarted", previous: 0 });
    for (const type of ["TaskStateEntered", "TaskScheduled", "TaskStarted"]) journal.tell(id, { type });
    const over = open();
    assert.equal((await end(over)).output, '{"structured_output":{"field":1}}');
    assert.deepEqual(typesOf(over).slice(4), [
      "TaskFailed",
      "TaskScheduled",
      "TaskStarted",
      "TaskSucceeded",
      "TaskStateExited",
      "ExecutionSucceeded",
    ]);
  });

  it("fail when their machine is gone", async () => {
    journal.create({ ...id, machine: "gone", input: "{}" }, { type: "ExecutionStarted", previous: 0 });
    const { error, cause } = await end(open(), { ...id, machine: "gone" });
    assert.equal(error, "AGENT_NOT_FOUND");
    assert.match(
      cause ?? "",
      /^The state machine gone is not offered any more\. Publish the agent again, or serve the --stage/,
    );
  });

  it("end at once when they are stopped, and what their agent still does changes nothing", async () => {
    const called = Promise.withResolvers<void>();
    invoke = (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
        called.resolve();
      });
    const over = open();
    over.start({ ...id, input: '{"a": 1}' });
    await called.promise;
    const stopped = over.stop(id, { error: "Cancelled" });
    assert.deepEqual([stopped.status, stopped.error], ["ABORTED", "Cancelled"]);
    invoke = echo;
    over.redrive(id, undefined);
    assert.equal((await end(over)).status, "SUCCEEDED");
    assert.deepEqual(typesOf(over).slice(4), [
      "ExecutionAborted",
      "ExecutionRedriven",
      "TaskScheduled",
      "TaskStarted",
      "TaskSucceeded",
      "TaskStateExited",
      "ExecutionSucceeded",
    ]);
    assert.equal(over.stop(id, {}).status, "SUCCEEDED", "what has ended stays as it is");
  });

  it("share an opened agent while they use it at the same time", async () => {
    const gate = Promise.withResolvers<void>();
    const bothThere = Promise.withResolvers<void>();
    let there = 0;
    invoke = async (input, context) => {
      if ((there += 1) === 2) bothThere.resolve();
      await gate.promise;
      return echo(input, context);
    };
    const over = open();
    over.start({ ...id, input: "{}" });
    over.start({ ...id, name: "two", input: "{}" });
    await bothThere.promise;
    assert.deepEqual([opened, closed], [1, 0]);
    gate.resolve();
    await end(over);
    await end(over, { ...id, name: "two" });
    await over.close();
    executions = undefined;
    journal = openExecutionJournal(join(folder, "executions.db"));
    assert.deepEqual([opened, closed], [1, 1]);
  });

  it("wait for their turn with an agent that has enough to do", async () => {
    const gate = Promise.withResolvers<void>();
    const full = Promise.withResolvers<void>();
    let [under, most] = [0, 0];
    invoke = async (input, context) => {
      most = Math.max(most, (under += 1));
      if (under === 10) full.resolve();
      await gate.promise;
      under -= 1;
      return echo(input, context);
    };
    const over = open();
    const names = Array.from({ length: 25 }, (_, i) => String(i));
    for (const name of names) over.start({ ...id, name, input: "{}" });
    await full.promise;
    gate.resolve();
    for (const name of names) assert.equal((await end(over, { ...id, name })).status, "SUCCEEDED");
    assert.equal(most, 10);
  });

  it("refuse an input that the agent's schema refuses, and know a time-out by Step Functions' word", async () => {
    const over = open({ ...echoAgent, input_schema: { type: "object", required: ["a"] } });
    over.start({ ...id, input: "{}" });
    const refused = await end(over);
    assert.equal(refused.error, "ROW_INVALID");
    assert.match(refused.cause ?? "", /must have required property 'a'/);
    invoke = async () => {
      throw new RowcallError("TIMEOUT", "Execution timeout");
    };
    over.start({ ...id, name: "late", input: '{"a": 1}' });
    const late = await end(over, { ...id, name: "late" });
    assert.deepEqual([late.status, late.error, late.cause], ["FAILED", "States.Timeout", undefined]);
  });
});
