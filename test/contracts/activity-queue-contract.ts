import assert from "node:assert/strict";
import type { ActivityQueue, TakenTask, TaskRequest, TaskState } from "../../src/core/activity.ts";
import { contractTests } from "./contract-tests.ts";

/** Queues to hold to their contract. */
export interface QueueUnderTest {
  /** What schedules and watches. */
  readonly scheduler: ActivityQueue;
  /** What workers ask: the same, or another on the same queues, as another process would have. */
  readonly server: ActivityQueue;
  /** Lets time pass. */
  advance(ms: number): void;
  close(): Promise<void>;
}

const never = new AbortController().signal;

/** Holds an implementation to the contract of `ActivityQueue`. */
export function activityQueueContract(name: string, open: () => Promise<QueueUnderTest>): void {
  const queueTest = contractTests(name, async () => {
    const under = await open();
    under.scheduler.createActivity("lookup");
    return under;
  });

  queueTest("hands tasks out in the order they were scheduled, each to one worker", async ({ scheduler, server }) => {
    scheduler.schedule([task("a"), task("b"), task("c")]);
    const taken = await Promise.all(["w1", "w2", "w3"].map((worker) => server.take("lookup", worker, never)));
    assert.deepEqual(taken.map((one) => String(one?.input)).toSorted(), ["input of a", "input of b", "input of c"]);
    assert.equal(new Set(taken.map((one) => one?.token)).size, 3);
    assert.equal(scheduler.find("a")?.worker, "w1");
  });

  queueTest("a worker waits for a task, and no longer than it wants to", async ({ scheduler, server }) => {
    const patience = new AbortController();
    const inVain = server.take("lookup", "w1", patience.signal);
    patience.abort();
    assert.equal(await inVain, undefined);
    assert.equal(await server.take("lookup", "w1", AbortSignal.abort()), undefined);
    const waiting = server.take("lookup", "w1", never);
    scheduler.schedule([task("late")]);
    assert.equal((await waiting)?.input, "input of late");
  });

  queueTest("keeps activities apart", async ({ scheduler, server }) => {
    scheduler.createActivity("other");
    scheduler.schedule([task("a"), { ...task("b"), activity: "other" }]);
    assert.equal((await server.take("other", "w1", never))?.input, "input of b");
    assert.equal(scheduler.find("a")?.startedAt, undefined);
  });

  queueTest("tells who watches what was taken and how it ended", async ({ scheduler, server }) => {
    const seen = watch(scheduler, "run1/");
    scheduler.schedule([task("run1/0"), task("run2/0"), task("run1/1")]);
    for (const answer of ["first", "second"]) {
      const { token } = await take(server);
      assert.equal(server.succeed(token, JSON.stringify(answer)), "accepted");
    }
    const { token } = await take(server);
    assert.equal(server.fail(token, "TIMEOUT", "too slow"), "accepted");
    const ended = await seen.until((states) => states.filter(({ end }) => end !== undefined).length === 2);
    assert.deepEqual(
      ended.filter(({ end }) => end !== undefined).map(({ key, end }) => [key, end]),
      [
        ["run1/0", { status: "succeeded", output: '"first"' }],
        ["run1/1", { status: "failed", error: "TIMEOUT", cause: "too slow" }],
      ],
    );
    assert.equal(ended[0]?.worker, "w1");
  });

  queueTest("tells who begins to watch what has ended before", async ({ scheduler, server }) => {
    scheduler.schedule([task("run/0")]);
    server.succeed((await take(server)).token, "1");
    const [state] = await watch(scheduler, "run/").until((states) => states.length === 1);
    assert.deepEqual(state?.end, { status: "succeeded", output: "1" });
  });

  queueTest("scheduling a key again changes nothing, also when it has ended", async ({ scheduler, server }) => {
    scheduler.schedule([task("a")]);
    scheduler.schedule([{ ...task("a"), input: "another" }]);
    const { token, input } = await take(server);
    assert.equal(input, "input of a");
    server.succeed(token, "1");
    scheduler.schedule([task("a"), task("b")]);
    assert.equal((await take(server)).input, "input of b");
    assert.equal(scheduler.find("a")?.end?.status, "succeeded");
  });

  queueTest("a task whose worker falls silent ends, and the late answer is refused", async (under) => {
    const { scheduler, server, advance } = under;
    scheduler.schedule([{ ...task("a"), heartbeatSeconds: 10 }]);
    const { token } = await take(server);
    advance(9_000);
    assert.equal(server.heartbeat(token), "accepted");
    advance(9_000);
    assert.equal(server.heartbeat(token), "accepted");
    advance(10_000);
    assert.equal(server.succeed(token, "1"), "over");
    assert.equal(server.heartbeat(token), "over");
    assert.deepEqual(scheduler.find("a")?.end, { status: "timed_out", limit: "heartbeat" });
  });

  queueTest("who watches hears of a silent worker without anybody asking", async ({ scheduler, server, advance }) => {
    const seen = watch(scheduler, "a");
    scheduler.schedule([{ ...task("a"), heartbeatSeconds: 10 }]);
    await take(server);
    advance(10_000);
    const states = await seen.until((all) => all.some(({ end }) => end !== undefined));
    assert.deepEqual(states.at(-1)?.end, { status: "timed_out", limit: "heartbeat" });
  });

  queueTest(
    "the limit of a task counts from when a worker takes it, and signs of life do not move it",
    async (under) => {
      const { scheduler, server, advance } = under;
      scheduler.schedule([{ ...task("a"), heartbeatSeconds: 30, timeoutSeconds: 60 }]);
      advance(3_600_000);
      const { token } = await take(server);
      for (let beat = 0; beat < 5; beat += 1) {
        advance(11_000);
        assert.equal(server.heartbeat(token), "accepted");
      }
      advance(5_000);
      assert.equal(server.heartbeat(token), "over");
      assert.deepEqual(scheduler.find("a")?.end, { status: "timed_out", limit: "timeout" });
    },
  );

  queueTest("a task put back goes to the next worker, before those behind it", async ({ scheduler, server }) => {
    scheduler.schedule([task("a"), task("b")]);
    const { token } = await take(server);
    server.putBack(token);
    assert.equal(scheduler.find("a")?.startedAt, undefined);
    assert.equal(server.succeed(token, "1"), "unknown");
    assert.equal((await take(server)).input, "input of a");
  });

  queueTest("takes tasks back; their keys are free again", async ({ scheduler, server }) => {
    scheduler.schedule([task("a"), task("b"), task("c")]);
    const { token } = await take(server);
    scheduler.cancel(["a", "b"]);
    assert.equal(server.heartbeat(token), "unknown");
    assert.equal((await take(server)).input, "input of c");
    scheduler.schedule([task("a")]);
    assert.equal((await take(server)).input, "input of a");
  });

  queueTest("forgets what has ended, and nothing else", async ({ scheduler, server }) => {
    scheduler.schedule([task("a"), task("b")]);
    server.succeed((await take(server)).token, "1");
    scheduler.forget(["a", "b"]);
    assert.equal(scheduler.find("a"), undefined);
    assert.equal(scheduler.find("b")?.key, "b");
  });

  queueTest("nobody has a token that was never given", async ({ server }) => {
    assert.equal(server.succeed("made up", "1"), "unknown");
    assert.equal(server.fail("made up", undefined, undefined), "unknown");
    assert.equal(server.heartbeat("made up"), "unknown");
  });

  queueTest("knows its activities, makes one once, and ends the tasks of one that is deleted", async (under) => {
    const { scheduler, server } = under;
    const made = scheduler.createActivity("lookup");
    assert.deepEqual(server.findActivity("lookup"), made);
    assert.deepEqual(
      server.listActivities().map(({ name }) => name),
      ["lookup"],
    );
    scheduler.schedule([task("a")]);
    server.deleteActivity("lookup");
    assert.equal(scheduler.findActivity("lookup"), undefined);
    assert.equal(scheduler.find("a")?.end?.status, "failed");
  });

  queueTest("remembers who has asked for tasks", async ({ scheduler, server, advance }) => {
    assert.deepEqual(scheduler.recentWorkers("lookup", 60_000), []);
    scheduler.schedule([task("a")]);
    await take(server, "w1");
    assert.deepEqual(scheduler.recentWorkers("lookup", 60_000), ["w1"]);
    advance(60_001);
    assert.deepEqual(scheduler.recentWorkers("lookup", 60_000), []);
  });
}

function task(key: string): TaskRequest {
  return { activity: "lookup", key, input: `input of ${key}` };
}

async function take(queue: ActivityQueue, worker = "w1"): Promise<TakenTask> {
  const taken = await queue.take("lookup", worker, never);
  assert.ok(taken !== undefined);
  return taken;
}

function watch(
  queue: ActivityQueue,
  prefix: string,
): { until(enough: (states: readonly TaskState[]) => boolean): Promise<readonly TaskState[]> } {
  const states: TaskState[] = [];
  let check = (): void => {};
  queue.watch(prefix, (state) => {
    states.push(state);
    check();
  });
  return {
    until: (enough) =>
      new Promise((resolve) => {
        check = () => enough(states) && resolve(states);
        check();
      }),
  };
}
