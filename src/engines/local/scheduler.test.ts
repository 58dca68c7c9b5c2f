import assert from "node:assert/strict";
import { describe, it, mock, beforeEach, afterEach } from "node:test";
import type { Attempt, Outcome } from "../../core/attempt.ts";
import type { RetryPolicy } from "../../core/retry.ts";
import { createRateLimiter, runPool, type PoolSetup, type Task } from "./scheduler.ts";

const retry: RetryPolicy = {
  maxAttempts: 2,
  intervalSeconds: 1,
  backoffRate: 2,
  maxDelaySeconds: 60,
  jitterStrategy: "NONE",
  doNotRetryOn: [],
};
const ok: Outcome = { status: "succeeded", output: {} };
const broken: Outcome = { status: "failed", code: "AGENT_FAILED", message: "no", retryable: true };
const invalid: Outcome = { status: "failed", code: "ROW_INVALID", message: "no", retryable: false };

async function* blocksOf(rows: number, size: number): AsyncGenerator<readonly Task[]> {
  for (let first = 0; first < rows; first += size) {
    yield Array.from({ length: Math.min(size, rows - first) }, (_, i) => ({
      row: first + i,
      input: {},
      number: 1,
      failures: 0,
      losses: 0,
    }));
  }
}

interface Trace {
  readonly started: { row: number; number: number; at: number }[];
  readonly ended: { row: number; number: number; decides: boolean }[];
  peak: number;
}

function pool(
  rows: number,
  invoke: (task: Task) => Outcome | Promise<Outcome>,
  over: Partial<PoolSetup> = {},
): { trace: Trace; done: Promise<void> } {
  const trace: Trace = { started: [], ended: [], peak: 0 };
  let underWay = 0;
  const done = runPool({
    tasks: blocksOf(rows, 3),
    attempt: async (task): Promise<Attempt> => {
      const { row, number } = task;
      underWay += 1;
      trace.peak = Math.max(trace.peak, underWay);
      trace.started.push({ row, number, at: Date.now() });
      const outcome = await invoke(task);
      underWay -= 1;
      return { row, number, startedAt: 0, endedAt: 0, outcome, steps: [], artifacts: [] };
    },
    onEnd: ({ row, number }, waitMs) => {
      trace.ended.push({ row, number, decides: waitMs === undefined });
      return undefined;
    },
    maxConcurrency: () => 2,
    retry,
    monotonic: Date.now,
    random: () => 0.5,
    drain: new AbortController().signal,
    ...over,
  });
  return { trace, done };
}

async function turns(): Promise<void> {
  for (let i = 0; i < 200; i += 1) await Promise.resolve();
}

describe("runPool", () => {
  beforeEach(() => mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 }));
  afterEach(() => mock.timers.reset());

  it("attempts every row once when all succeed, never more at once than allowed", async () => {
    const { trace, done } = pool(10, () => ok);
    await done;
    assert.deepEqual(
      trace.ended.map((e) => e.row).toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    assert.equal(trace.peak, 2);
    assert.ok(trace.ended.every((e) => e.decides));
  });

  it("ends at once when there is nothing to do", async () => {
    const { trace, done } = pool(0, () => ok);
    await done;
    assert.deepEqual(trace.started, []);
  });

  it("keeps a pool and not waves: a slow row holds up no other", async () => {
    const slow = Promise.withResolvers<Outcome>();
    const { trace, done } = pool(8, ({ row }) => (row === 0 ? slow.promise : ok));
    await turns();
    assert.equal(trace.ended.length, 7);
    slow.resolve(ok);
    await done;
    assert.equal(trace.ended.length, 8);
  });

  it("waits before each retry, doubling, and holds no place meanwhile", async () => {
    const { trace, done } = pool(3, ({ row }) => (row === 0 ? broken : ok), { maxConcurrency: () => 1 });
    await turns();
    assert.deepEqual(
      trace.ended.map((e) => [e.row, e.decides]),
      [
        [0, false],
        [1, true],
        [2, true],
      ],
    );
    mock.timers.tick(999);
    await turns();
    assert.equal(trace.started.length, 3);
    mock.timers.tick(1);
    await turns();
    assert.deepEqual(trace.started.at(-1), { row: 0, number: 2, at: 1000 });
    mock.timers.tick(2000);
    await done;
    assert.deepEqual(trace.started.at(-1), { row: 0, number: 3, at: 3000 });
    assert.deepEqual(trace.ended.at(-1), { row: 0, number: 3, decides: true });
  });

  it("does not retry what a retry cannot mend", async () => {
    const { trace, done } = pool(1, () => invalid);
    await done;
    assert.deepEqual(trace.ended, [{ row: 0, number: 1, decides: true }]);
  });

  it("counts failures from before a resume against the retries", async () => {
    async function* tasks(): AsyncGenerator<readonly Task[]> {
      yield [{ row: 0, input: {}, number: 5, failures: 2, losses: 0 }];
    }
    const { trace, done } = pool(0, () => broken, { tasks: tasks() });
    await done;
    assert.deepEqual(trace.ended, [{ row: 0, number: 5, decides: true }]);
  });

  it("waits at least as long as the other side asked", async () => {
    let calls = 0;
    const { trace, done } = pool(1, () => (calls++ === 0 ? { ...broken, retryAfterMs: 30_000 } : ok));
    await turns();
    mock.timers.tick(29_999);
    await turns();
    assert.equal(trace.started.length, 1);
    mock.timers.tick(1);
    await done;
    assert.equal(trace.started.at(-1)?.at, 30_000);
  });

  it("tells what waits, for how long and how many wait", async () => {
    const told: unknown[] = [];
    let calls = 0;
    const { done } = pool(1, () => (calls++ === 0 ? { ...broken, retryAfterMs: 30_000 } : ok), {
      onEnd: ({ row, number }, waitMs) => void told.push([row, number, waitMs]),
    });
    await turns();
    mock.timers.tick(30_000);
    await done;
    assert.deepEqual(told, [
      [0, 1, 30_000],
      [0, 2, undefined],
    ]);
  });

  it("drains: what is under way ends, nothing new starts, retries stay open", async () => {
    const drain = new AbortController();
    const slow = Promise.withResolvers<Outcome>();
    const { trace, done } = pool(9, ({ row }) => (row === 0 ? slow.promise : broken), { drain: drain.signal });
    await turns();
    const startedBefore = trace.started.length;
    drain.abort();
    slow.resolve(ok);
    await done;
    assert.equal(trace.started.length, startedBefore);
    assert.deepEqual(
      trace.ended.find((e) => e.row === 0),
      { row: 0, number: 1, decides: true },
    );
    assert.ok(trace.ended.filter((e) => e.row !== 0).every((e) => !e.decides));
  });

  it("follows a change of the concurrency while it runs", async () => {
    let width = 1;
    const gates = Array.from({ length: 6 }, () => Promise.withResolvers<Outcome>());
    const { trace, done } = pool(6, ({ row }) => gates[row]?.promise ?? ok, { maxConcurrency: () => width });
    await turns();
    assert.equal(trace.started.length, 1);
    width = 4;
    gates[0]?.resolve(ok);
    await turns();
    assert.equal(trace.started.length, 5);
    for (const gate of gates) gate.resolve(ok);
    await done;
  });

  it("holds the place of an attempt until its end has been taken in", async () => {
    const room = Promise.withResolvers<void>();
    const ended: number[] = [];
    const { trace, done } = pool(4, () => ok, {
      onEnd: ({ row }) => {
        ended.push(row);
        return room.promise;
      },
    });
    await turns();
    assert.deepEqual([trace.started.length, ended], [2, [0, 1]]);
    room.resolve();
    await done;
    assert.deepEqual(ended, [0, 1, 2, 3]);
  });

  it("runs a suspect alone: nothing else is in flight while it is", async () => {
    let inFlight = 0;
    const beside: number[] = [];
    const suspects = new Set([1, 2, 7]);
    const tasks = (async function* () {
      for await (const block of blocksOf(9, 4))
        yield block.map((task) => ({ ...task, isAlone: suspects.has(task.row) }));
    })();
    const { trace, done } = pool(
      9,
      async ({ row }) => {
        inFlight += 1;
        if (suspects.has(row)) beside.push(inFlight);
        await turns();
        if (suspects.has(row)) beside.push(inFlight);
        inFlight -= 1;
        return ok;
      },
      { tasks, maxConcurrency: () => 4 },
    );
    await done;
    assert.deepEqual(beside, [1, 1, 1, 1, 1, 1]);
    assert.equal(trace.ended.length, 9);
    assert.equal(trace.peak > 1, true);
  });

  it("tries a row that has lost two workers again alone, so that no neighbour is lost with it three times", async () => {
    const lost: Outcome = { status: "failed", code: "WORKER_LOST", message: "no", retryable: true };
    // All that is in flight at the worker is lost with row 3.
    const inFlight = new Map<number, (outcome: Outcome) => void>();
    const decided: [row: number, status: string][] = [];
    const { done } = pool(
      8,
      ({ row }) => {
        const { promise, resolve } = Promise.withResolvers<Outcome>();
        inFlight.set(row, resolve);
        void turns().then(async () => {
          if (row === 3) {
            const worker = [...inFlight.values()];
            inFlight.clear();
            for (const lose of worker) lose(lost);
          }
          // Slower than row 3, so that it is lost with it whenever it is in flight beside it.
          for (let i = 0; i < 4; i += 1) await turns();
          if (inFlight.get(row) === resolve) inFlight.delete(row);
          resolve(ok);
        });
        return promise;
      },
      {
        maxConcurrency: () => 8,
        onEnd: ({ row, outcome }, waitMs) => {
          if (waitMs === undefined) decided.push([row, outcome.status]);
          return undefined;
        },
      },
    );
    await done;
    assert.deepEqual(
      decided.toSorted(([a], [b]) => a - b),
      Array.from({ length: 8 }, (_, row) => [row, row === 3 ? "failed" : "succeeded"]),
    );
  });

  it("ends what is under way, then throws, when the tasks cannot be read", async () => {
    async function* tasks(): AsyncGenerator<readonly Task[]> {
      yield [{ row: 0, input: {}, number: 1, failures: 0, losses: 0 }];
      throw new Error("disk gone");
    }
    const { trace, done } = pool(0, () => ok, { tasks: tasks() });
    await assert.rejects(done, /disk gone/);
    assert.equal(trace.ended.length, 1);
  });

  it("spaces beginnings by the rate limit, per key", async () => {
    const limiter = createRateLimiter(2, ({ row }) => (row % 2 === 0 ? "even" : "odd"));
    const { trace, done } = pool(4, () => ok, { limiter, maxConcurrency: () => 4 });
    await turns();
    assert.deepEqual(
      trace.started.map((s) => s.row),
      [0, 1],
    );
    mock.timers.tick(500);
    await done;
    assert.deepEqual(
      trace.started.map((s) => [s.row, s.at]),
      [
        [0, 0],
        [1, 0],
        [2, 500],
        [3, 500],
      ],
    );
  });
});
