import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createVirtualTime } from "../../../test/fakes/virtual-time.ts";
import { RowcallError } from "../../core/errors.ts";
import {
  createExecutionPoller,
  endStatuses,
  pollLimits,
  type EndStatus,
  type ExecutionSource,
} from "./execution-poller.ts";

/** One execution of a simulation; milliseconds from its beginning. */
interface Planned {
  readonly startsAt: number;
  readonly lastsMs: number;
  readonly status: EndStatus;
  /** Whether it was under way before anybody waited for it. */
  readonly isOld?: boolean;
}

interface Simulated {
  /** Milliseconds from each execution's end until it was noticed. */
  readonly delays: readonly number[];
  /** When each call was made, in milliseconds. */
  readonly describes: readonly number[];
  readonly lists: readonly number[];
}

const latencyMs = 80;
const pageSize = 1000;

/** Waits for all executions in virtual time. */
async function simulate(
  planned: readonly Planned[],
  refuse: (call: "describe" | "list", count: number) => RowcallError | undefined = () => undefined,
  clock?: (passedMs: number) => number,
): Promise<Simulated> {
  const time = createVirtualTime();
  const begin = time.clock();
  const calls = { describe: [] as number[], list: [] as number[] };
  const ends = new Map(
    planned.map(({ startsAt, lastsMs, status }, i) => [`arn:${i}`, { at: begin + startsAt + lastsMs, status }]),
  );
  const byEnd = [...ends].toSorted(([, a], [, b]) => b.at - a.at);
  const answer = async (call: "describe" | "list"): Promise<void> => {
    const count = calls[call].push(time.clock());
    await time.wait(latencyMs);
    const refused = refuse(call, count);
    if (refused !== undefined) throw refused;
  };
  const source: ExecutionSource = {
    describe: async (arn) => {
      await answer("describe");
      const end = ends.get(arn);
      return end === undefined || end.at > time.clock() ? undefined : { status: end.status };
    },
    listEnded: async (status, page) => {
      await answer("list");
      const all = byEnd.filter(([, end]) => end.status === status && end.at <= time.clock());
      const from = Number(page ?? 0);
      return {
        executions: all.slice(from, from + pageSize).map(([arn, { at }]) => ({ arn, stoppedAt: at })),
        ...(from + pageSize < all.length ? { next: String(from + pageSize) } : {}),
      };
    },
  };
  const shown = (): number => (clock === undefined ? time.clock() : begin + clock(time.clock() - begin));
  const poller = createExecutionPoller(source, { ...time, clock: shown });
  const { signal } = new AbortController();
  const waitFor = async ({ startsAt, status, isOld = false }: Planned, i: number): Promise<number> => {
    await time.wait(startsAt);
    const end = await poller.waitFor(`arn:${i}`, signal, isOld);
    assert.equal(end.status, status);
    return time.clock() - (ends.get(`arn:${i}`)?.at ?? 0);
  };
  const delays = await time.run(Promise.all(planned.map(waitFor)));
  poller.close();
  return { delays, describes: calls.describe, lists: calls.list };
}

/** The most that a bucket which empties at a rate ever holds when each call adds one: how much came at once. */
function fullest(calls: readonly number[], perSecond: number): number {
  let held = 0;
  let most = 0;
  calls.forEach((at, i) => {
    held = Math.max(0, held - ((at - (calls[i - 1] ?? at)) / 1000) * perSecond) + 1;
    most = Math.max(most, held);
  });
  return most;
}

function assertWithinLimits({ describes, lists }: Simulated): void {
  const { describe, list } = pollLimits;
  assert.ok(fullest(describes, describe.perSecond) <= describe.burst + 0.001);
  assert.ok(fullest(lists, list.perSecond) <= list.burst + 0.001);
}

/** Each result is noticed after 15 % of the execution's time at most, 30 s at most, and what a crowd costs. */
function assertNoticed({ delays }: Simulated, lasted: readonly number[], allowanceMs: number): void {
  const late = delays.map((delay, i) => delay - Math.min((lasted[i] ?? 0) * 0.15, 30_000));
  assert.ok(Math.max(...late) <= allowanceMs, `${Math.max(...late)} ms`);
}

/** As many executions as are wanted, with what is spread evenly between two bounds. */
function spread(count: number, from: number, to: number): number[] {
  // Steps of the golden ratio: even, and in no order.
  return Array.from({ length: count }, (_, i) => from + ((i * 0.618_034) % 1) * (to - from));
}

const throttled = new RowcallError("AWS_FAILED", "Rate exceeded");

test("stays far below the limits of the smallest regions", () => {
  // There DescribeExecution fills by 10 a second up to 250, ListExecutions by 2 up to 100.
  assert.ok(pollLimits.describe.perSecond < 10 && pollLimits.describe.burst < 250);
  assert.ok(pollLimits.list.perSecond < 2 && pollLimits.list.burst < 100);
});

for (const lastsMs of [500, 12_000, 600_000, 7_200_000]) {
  test(`a single execution of ${lastsMs / 1000} s is noticed soon, and looked at seldom`, async () => {
    const run = await simulate([{ startsAt: 0, lastsMs, status: "SUCCEEDED" }]);
    assertNoticed(run, [lastsMs], 2500);
    assert.ok(run.describes.length <= 25 + lastsMs / 30_000, `${run.describes.length} looks`);
    assert.deepEqual(run.lists, []);
    assertWithinLimits(run);
  });
}

test("100 executions at once are noticed soon, however they end", async () => {
  const lasting = spread(100, 20_000, 120_000);
  const run = await simulate(
    lasting.map((lastsMs, i) => ({ startsAt: i, lastsMs, status: endStatuses[i % endStatuses.length] ?? "FAILED" })),
  );
  assertNoticed(run, lasting, 8000);
  assertWithinLimits(run);
});

test("5,000 executions at once are noticed soon while their ends are spread", async () => {
  const lasting = spread(5000, 60_000, 1_800_000);
  const run = await simulate(
    lasting.map((lastsMs, i) => ({ startsAt: i * 10, lastsMs, status: i % 20 === 0 ? "FAILED" : "SUCCEEDED" })),
  );
  assertNoticed(run, lasting, 8000);
  // Hardly more looks than there are results.
  assert.ok(run.describes.length <= 5000 * 1.5, `${run.describes.length} looks`);
  assertWithinLimits(run);
});

test("5,000 executions that end together are noticed as fast as the limit allows", async () => {
  const run = await simulate(
    Array.from({ length: 5000 }, () => ({ startsAt: 0, lastsMs: 60_000, status: "SUCCEEDED" })),
  );
  const fastest = (5000 / pollLimits.describe.perSecond) * 1000;
  assert.ok(Math.max(...run.delays) <= fastest * 1.1, `${Math.max(...run.delays)} ms`);
  assertWithinLimits(run);
});

test("a stream of executions, 100 at a time, keeps up", async () => {
  // Each of 100 places has 20 executions of 30 s, one after another: 3 ends a second.
  const planned = Array.from({ length: 2000 }, (_, i) => ({
    startsAt: Math.floor(i / 100) * 32_000 + (i % 100) * 320,
    lastsMs: 30_000,
    status: "SUCCEEDED" as const,
  }));
  const run = await simulate(planned);
  assertNoticed(
    run,
    planned.map(({ lastsMs }) => lastsMs),
    8000,
  );
  assertWithinLimits(run);
});

test("what has ended long before somebody waits for it is noticed at once, and in turn when it is many", async () => {
  const old = { startsAt: 0, lastsMs: -3_600_000 * 5, status: "SUCCEEDED", isOld: true } as const;
  assert.ok((await simulate([old])).describes.length === 1);
  const run = await simulate(Array.from({ length: 500 }, () => old));
  const took = Math.max(...run.describes) - Math.min(...run.describes);
  assert.ok(took <= (500 / pollLimits.describe.perSecond) * 1100, `${took} ms`);
  assertWithinLimits(run);
});

test("throttling halves the rate, and it comes back", async () => {
  const many = Array.from({ length: 200 }, () => ({ startsAt: 0, lastsMs: 1000, status: "SUCCEEDED" as const }));
  const run = await simulate(many, (call, count) => (call === "describe" && count <= 40 ? throttled : undefined));
  const within = (from: number, to: number): number =>
    run.describes.filter((at) => at >= (run.describes[0] ?? 0) + from && at < (run.describes[0] ?? 0) + to).length;
  assert.ok(within(2000, 12_000) <= 40);
  assert.equal(run.delays.length, 200);
  assertWithinLimits(run);
});

test("lists that are refused leave looking one by one", async () => {
  const many = spread(40, 1000, 20_000).map((lastsMs) => ({ startsAt: 0, lastsMs, status: "FAILED" as const }));
  const run = await simulate(many, (call) => (call === "list" ? throttled : undefined));
  assert.equal(run.delays.length, 40);
  assertWithinLimits(run);
});

test("whatever executions there are, each is noticed and the limits hold", async () => {
  const execution = fc.record({
    startsAt: fc.nat(120_000),
    lastsMs: fc.oneof(fc.nat(5000), fc.nat(600_000)),
    status: fc.constantFrom(...endStatuses),
    isOld: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(execution, { minLength: 1, maxLength: 120 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
      async (planned, refusals) => {
        const refuse = (_call: string, count: number): RowcallError | undefined =>
          count % 3 === 0 && refusals[count % refusals.length] === true ? throttled : undefined;
        const run = await simulate(planned, refuse);
        assert.equal(run.delays.length, planned.length);
        assert.ok(run.delays.every((delay) => delay >= 0));
        assertWithinLimits(run);
      },
    ),
    { numRuns: 40 },
  );
});

test("a look that cannot go better ends the waiting, and nobody else's", async () => {
  const time = createVirtualTime();
  const denied = new RowcallError("AWS_DENIED", "no");
  const poller = createExecutionPoller(
    {
      describe: async (arn) => {
        if (arn === "arn:denied") throw denied;
        return { status: "SUCCEEDED" };
      },
      listEnded: async () => ({ executions: [] }),
    },
    time,
  );
  const { signal } = new AbortController();
  const both = await time.run(
    Promise.allSettled([poller.waitFor("arn:denied", signal, false), poller.waitFor("arn:fine", signal, false)]),
  );
  assert.deepEqual(both, [
    { status: "rejected", reason: denied },
    { status: "fulfilled", value: { status: "SUCCEEDED" } },
  ]);
});

test("the signal ends the waiting of one, closing that of all", async () => {
  const time = createVirtualTime();
  const looked: string[] = [];
  const poller = createExecutionPoller(
    {
      describe: async (arn) => {
        looked.push(arn);
        return undefined;
      },
      listEnded: async () => ({ executions: [] }),
    },
    time,
  );
  const aborter = new AbortController();
  const first = assert.rejects(poller.waitFor("arn:1", aborter.signal, true), new Error("up"));
  const second = assert.rejects(poller.waitFor("arn:2", new AbortController().signal, true), /closed/);
  await time.run(time.wait(500));
  aborter.abort(new Error("up"));
  await first;
  looked.length = 0;
  await time.run(time.wait(5000));
  assert.deepEqual(new Set(looked), new Set(["arn:2"]));
  poller.close();
  await second;
});

for (const [how, offset] of [
  ["back", -86_400_000],
  ["forward", 86_400_000],
] as const) {
  test(`a clock that is set ${how} a day delays no result and asks no more often`, async () => {
    for (const many of [3, 60]) {
      const lasted = spread(many, 20_000, 200_000);
      const planned = lasted.map((lastsMs) => ({ startsAt: 0, lastsMs, status: "SUCCEEDED" as const }));
      const found = await simulate(planned, undefined, (passed) => (passed < 30_000 ? passed : passed + offset));
      assertWithinLimits(found);
      assertNoticed(found, lasted, 15_000);
    }
  });
}
