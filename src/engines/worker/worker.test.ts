import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { ActivityQueue } from "../../core/activity.ts";
import type { AgentDefinition, InvokeContext } from "../../core/agent.ts";
import type { AttemptTask } from "../../attempt/attempt-answer.ts";
import { RowcallError } from "../../core/errors.ts";
import type { Services } from "../../core/services.ts";
import { openStores } from "../../stores/open-store.ts";
import { openActivityQueue } from "../../runs/activity-queue.ts";
import { queueTasks } from "../../../test/fakes/queue-tasks.ts";
import { createTestServices, echoAgent, type TestInvoke } from "../../../test/fakes/services.ts";
import type { TaskSource, WorkerEvent } from "./task-source.ts";
import { runWorker, type WorkerOptions } from "./worker.ts";

const store = openStores({ baseDirectory: "/" });
const reply = { structured_output: { field: "x", extra: 1 } };
const prompt: TestInvoke = async () => reply;

function taskOf(row: number, over: Partial<AttemptTask> = {}): string {
  const task: AttemptTask = {
    run_id: "run",
    row,
    attempt: 1,
    agent: echoAgent,
    templates: {},
    input: { n: row },
    timeout_seconds: 60,
    recording: { level: "none", prefix: "memory:recordings" },
    ...over,
  };
  return JSON.stringify(task);
}

describe("a worker", () => {
  let queue: ActivityQueue;
  let now: number;
  let events: WorkerEvent[];
  const drain = { controller: new AbortController() };

  beforeEach(() => {
    now = Date.now();
    queue = openActivityQueue(":memory:", { clock: () => now, monotonic: () => now });
    queue.createActivity("echo");
    events = [];
    drain.controller = new AbortController();
  });
  afterEach(() => queue.close());

  const schedule = (rows: number, over: Partial<AttemptTask> = {}): void => {
    const seconds = over.heartbeat_seconds;
    queue.schedule(
      Array.from({ length: rows }, (_, row) => ({
        activity: "echo",
        key: `run/${row}/1`,
        input: taskOf(row, over),
        ...(seconds === undefined ? {} : { heartbeatSeconds: seconds }),
      })),
    );
  };
  const start = (
    invoke: TestInvoke,
    over: Partial<WorkerOptions> & { readonly openAgent?: Services["openAgent"] } = {},
  ): Promise<void> => {
    const { openAgent, ...options } = over;
    const services = createTestServices({ store, invoke });
    return runWorker({
      tasks: queueTasks(queue, "echo", "w1"),
      services: { ...services, ...(openAgent === undefined ? {} : { openAgent }) },
      name: "w1",
      concurrency: 2,
      drain: drain.controller.signal,
      backoff: () => 1,
      onEvent: (event) => void events.push(event),
      ...options,
    });
  };
  const typesOf = (): string[] => events.map(({ type }) => type);
  const ended = (row: number): unknown => queue.find(`run/${row}/1`)?.end;

  it("makes no more attempts at once than it has places, and every one once", async () => {
    schedule(9);
    let underWay = 0;
    let most = 0;
    const calls = new Set<unknown>();
    const invoke: TestInvoke = async (input) => {
      assert.ok(!calls.has(input["n"]));
      calls.add(input["n"]);
      most = Math.max(most, (underWay += 1));
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      return reply;
    };
    await start(invoke, { concurrency: 3, maxTasks: 9 });
    assert.ok(most <= 3, `${most} at once`);
    assert.equal(calls.size, 9);
    assert.deepEqual([typesOf().at(0), typesOf().at(-1)], ["started", "stopped"]);
    assert.equal(typesOf().filter((type) => type === "ended").length, 9);
  });

  it("answers with output, steps, recordings and times of its own", async () => {
    schedule(1);
    const invoke: TestInvoke = async (_input, { artifacts }) => {
      artifacts.step({ name: "look", status: "done", durationMs: 5 });
      await artifacts.save("final.png", Buffer.from("picture"), "image/png");
      return reply;
    };
    await start(invoke, { maxTasks: 1 });
    const end = queue.find("run/0/1")?.end;
    assert.ok(end?.status === "succeeded");
    const { structured_output, attempt } = JSON.parse(end.output) as Record<string, Record<string, unknown>>;
    assert.deepEqual(structured_output, reply.structured_output);
    assert.deepEqual(attempt?.["steps"], [{ name: "look", status: "done", durationMs: 5 }]);
    assert.deepEqual(attempt?.["artifacts"], [
      { name: "final.png", uri: "memory:recordings/0-1/final.png", contentType: "image/png" },
    ]);
    assert.ok(Number(attempt?.["started_at"]) <= Number(attempt?.["ended_at"]));
  });

  it("tells how a row failed, and goes on", async () => {
    schedule(2);
    const invoke: TestInvoke = async (input) => {
      if (input["n"] === 0) throw new RowcallError("CHOICE_NONE", "No address fits", { hint: "Look." });
      return reply;
    };
    await start(invoke, { maxTasks: 2, concurrency: 1 });
    const end = queue.find("run/0/1")?.end;
    assert.ok(end?.status === "failed" && end.error === "CHOICE_NONE");
    const { message, hint } = JSON.parse(end.cause ?? "") as Record<string, unknown>;
    assert.deepEqual([message, hint], ["No address fits", "Look."]);
    assert.equal(queue.find("run/1/1")?.end?.status, "succeeded");
  });

  it("opens an agent once for all its rows, and again for another recording level; closes both", async () => {
    schedule(3);
    queue.schedule([
      { activity: "echo", key: "b", input: taskOf(9, { recording: { level: "video", prefix: "memory:r" } }) },
    ]);
    const log: string[] = [];
    const openAgent = async (_agent: AgentDefinition, { recording }: { readonly recording: string }) => {
      log.push(`open ${recording}`);
      return { invoke: prompt, close: async () => void log.push(`close ${recording}`) };
    };
    await start(prompt, { maxTasks: 4, openAgent });
    assert.deepEqual(log.toSorted(), ["close none", "close video", "open none", "open video"]);
  });

  it("drains: takes no more, finishes and answers what it has", async () => {
    schedule(5);
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const working = start(
      async () => {
        begun.resolve();
        await go.promise;
        return reply;
      },
      { concurrency: 1 },
    );
    await begun.promise;
    drain.controller.abort();
    go.resolve();
    await working;
    assert.equal(ended(0) !== undefined, true);
    assert.deepEqual([1, 2, 3, 4].map(ended), [undefined, undefined, undefined, undefined]);
    assert.deepEqual(events.at(-1), { type: "stopped", tasks: 1 });
  });

  it("gives signs of life while it works, so that a long attempt stays its own", async () => {
    schedule(1, { heartbeat_seconds: 0.03 });
    const tasks = queueTasks(queue, "echo", "w1");
    const beaten = Promise.withResolvers<void>();
    let beats = 0;
    const counting: TaskSource = {
      ...tasks,
      heartbeat: async (token) => {
        if ((beats += 1) === 5) beaten.resolve();
        return tasks.heartbeat(token);
      },
    };
    await start(
      async () => {
        await beaten.promise;
        return reply;
      },
      { tasks: counting, maxTasks: 1 },
    );
    assert.equal(queue.find("run/0/1")?.end?.status, "succeeded");
    const after = beats;
    assert.ok(after >= 5);
  });

  it("lets go at once of a row that has gone to another worker, and drops its result", async () => {
    schedule(1, { heartbeat_seconds: 0.03 });
    let context: InvokeContext | undefined;
    await start(
      async (_input, given) => {
        context = given;
        const aborted = new Promise((resolve) => given.signal.addEventListener("abort", resolve));
        now += 10_000;
        await aborted;
        return reply;
      },
      { maxTasks: 1 },
    );
    assert.equal(context?.signal.aborted, true);
    assert.deepEqual(ended(0), { status: "timed_out", limit: "heartbeat" });
    assert.deepEqual(typesOf(), ["started", "taken", "dropped", "stopped"]);
  });

  it("drops a result that comes too late", async () => {
    schedule(1, { heartbeat_seconds: 60 });
    await start(
      async () => {
        now += 61_000;
        return reply;
      },
      { maxTasks: 1 },
    );
    assert.deepEqual(typesOf(), ["started", "taken", "dropped", "stopped"]);
  });

  it("waits for an activity that is not there yet, and says so once", async () => {
    const later = openActivityQueue(":memory:");
    later.createActivity("others");
    const tasks = queueTasks(later, "echo", "w1");
    let asked = 0;
    const counting: TaskSource = {
      ...tasks,
      take: async (signal) => {
        if ((asked += 1) === 3) {
          later.createActivity("echo");
          later.schedule([{ activity: "echo", key: "a", input: taskOf(0) }]);
        }
        return tasks.take(signal);
      },
    };
    await start(prompt, { tasks: counting, maxTasks: 1 });
    assert.equal(later.find("a")?.end?.status, "succeeded");
    assert.deepEqual(typesOf(), ["started", "waiting", "reached", "taken", "ended", "stopped"]);
    const waiting = events.find((event) => event.type === "waiting");
    assert.match(waiting?.hint ?? "", /There are: others\./);
    later.close();
  });

  it("goes on asking when nobody can be reached, and offers a result until it is taken", async () => {
    schedule(1);
    const tasks = queueTasks(queue, "echo", "w1");
    const failures = { take: 2, succeed: 2 };
    const unreachable = (): RowcallError => new RowcallError("AWS_FAILED", "unreachable");
    await start(prompt, {
      maxTasks: 1,
      tasks: {
        ...tasks,
        take: async (signal) => {
          if ((failures.take -= 1) >= 0) throw unreachable();
          return tasks.take(signal);
        },
        succeed: async (token, output) => {
          if ((failures.succeed -= 1) >= 0) throw unreachable();
          return tasks.succeed(token, output);
        },
      },
    });
    assert.equal(queue.find("run/0/1")?.end?.status, "succeeded");
    assert.deepEqual(typesOf(), ["started", "waiting", "reached", "taken", "ended", "stopped"]);
  });

  it("ends when it is refused", async () => {
    const tasks: TaskSource = {
      ...queueTasks(queue, "echo", "w1"),
      take: async () => {
        throw new RowcallError("AWS_DENIED", "not allowed");
      },
    };
    await assert.rejects(start(prompt, { tasks }), { code: "AWS_DENIED" });
  });

  it("gives a row back and ends when it cannot open the agent: rows are not spent on a broken machine", async () => {
    schedule(3);
    const openAgent = async (): Promise<never> => {
      throw new RowcallError("CHROMIUM_NOT_FOUND", "No Chromium", { hint: "Install one." });
    };
    await assert.rejects(start(prompt, { openAgent, concurrency: 1 }), {
      code: "CHROMIUM_NOT_FOUND",
      message: "Worker w1 cannot open agent echo: No Chromium",
      hint: "Install one.",
    });
    const end = queue.find("run/0/1")?.end;
    assert.equal(end?.status === "failed" && end.error, "WORKER_LOST");
    assert.deepEqual([1, 2].map(ended), [undefined, undefined]);
  });

  it("puts an output that is too large to send beside the recordings", async () => {
    schedule(1);
    const field = "é".repeat(200_000);
    await start(async () => ({ structured_output: { field } }), { maxTasks: 1 });
    const end = queue.find("run/0/1")?.end;
    assert.deepEqual(end, { status: "succeeded", output: '{"reply_uri":"memory:recordings/0-1/reply.json"}' });
    const text = Buffer.concat(await Array.fromAsync(store.read("memory:recordings/0-1/reply.json"))).toString();
    assert.equal((JSON.parse(text) as typeof reply).structured_output.field, field);
  });

  it("leaves a file of the agent's alone that has the name of such an output", async () => {
    schedule(1);
    const field = "é".repeat(200_000);
    let own = "";
    const save: TestInvoke = async (_input, { artifacts }) => {
      own = await artifacts.save("reply.json", Buffer.from("the agent's"), "text/plain");
      return { structured_output: { field } };
    };
    await start(save, { maxTasks: 1 });
    const end = queue.find("run/0/1")?.end;
    assert.ok(end?.status === "succeeded" && !end.output.includes(own), JSON.stringify(end));
    assert.equal(Buffer.concat(await Array.fromAsync(store.read(own))).toString(), "the agent's");
  });

  it("opens no function but those of its own registry, or that it was started with", async () => {
    schedule(2, { agent: { ...echoAgent, kind: "function", config: { module: "/tmp/theirs.mjs" } } });
    const services = { ...createTestServices({ store, invoke: prompt }), allowedModules: ["/srv/mine.mjs"] };
    await assert.rejects(start(prompt, { services, concurrency: 1 }), {
      code: "AGENT_INVALID",
      message: /Worker w1 cannot open agent echo: .*module that is not allowed here: "\/tmp\/theirs.mjs"/,
      hint: /--allow-module/,
    });
    queue.cancel(["run/0/1", "run/1/1"]);
    schedule(1, { agent: { ...echoAgent, kind: "function", config: { module: "/srv/mine.mjs" } } });
    await start(prompt, { services, maxTasks: 1 });
    assert.equal(queue.find("run/0/1")?.end?.status, "succeeded");
  });

  it("fails a task that is no attempt, and goes on", async () => {
    queue.schedule([{ activity: "echo", key: "odd", input: '{"hello": 1}' }]);
    schedule(1);
    await start(prompt, { maxTasks: 2, concurrency: 1 });
    const end = queue.find("odd")?.end;
    assert.equal(end?.status === "failed" && end.error, "BATCH_INVALID");
    assert.equal(queue.find("run/0/1")?.end?.status, "succeeded");
  });

  it("ends when it has had nothing to do for long", async () => {
    schedule(2);
    await start(prompt, { idleExitMs: 20 });
    assert.deepEqual(events.at(-1), { type: "stopped", tasks: 2 });
  });

  it("says once that recordings stay on its machine, unless the run sees its files", async () => {
    const folder = { level: "none", prefix: "file:///tmp/rowcall-worker-test" } as const;
    const save: TestInvoke = async (_input, { artifacts }) => {
      await artifacts.save("a.txt", Buffer.from("x"), "text/plain");
      return reply;
    };
    schedule(2, { recording: folder });
    await start(save, { maxTasks: 2 });
    const warnings = events.filter(({ type }) => type === "warning");
    assert.equal(warnings.length, 1);
    events = [];
    queue.cancel(["run/0/1", "run/1/1"]);
    schedule(2, { recording: folder });
    await start(save, { maxTasks: 2, sharesFiles: true });
    assert.equal(typesOf().includes("warning"), false);
  });
});
