import { machineClocks } from "../runs/machine-clocks.ts";
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Engine } from "../core/engine.ts";
import type { Run, RunStatus } from "../core/run.ts";
import { createRunWatch, type LiveEvent, type RunWatch } from "./run-watch.ts";

describe("live events", () => {
  let runs: Map<string, Run>;
  let looks: number;
  let watch: RunWatch;
  let gone: AbortController;

  const put = (id: string, status: RunStatus, succeeded: number): void => {
    const counts = { total: 100, succeeded, failed: 0, inFlight: 0, pending: 100 - succeeded };
    runs.set(id, { id, status, agent: "a@1.0.0", inputUri: "in.csv", counts, createdAt: 0 });
  };
  beforeEach(() => {
    runs = new Map();
    looks = 0;
    gone = new AbortController();
    const engine = {
      list: async () => {
        looks += 1;
        return [...runs.values()].toReversed();
      },
      describe: async (id: string) => {
        looks += 1;
        return runs.get(id);
      },
    } as unknown as Engine;
    watch = createRunWatch(engine, machineClocks);
  });
  afterEach(() => {
    gone.abort();
    watch.close();
  });

  const subscribe = (options: { run?: string; lastEventId?: string | undefined } = {}): AsyncIterator<LiveEvent> =>
    watch.subscribe({ ...options, signal: gone.signal })[Symbol.asyncIterator]();
  const next = async (events: AsyncIterator<LiveEvent>): Promise<LiveEvent> => (await events.next()).value as LiveEvent;
  const told = ({ data }: LiveEvent): unknown => ("run" in data ? [data.run.id, data.run.counts.succeeded] : data);

  it("begin with where all runs stand, and tell what changes, also of runs that are new", async () => {
    put("one", "running", 5);
    const events = subscribe();
    const snapshot = await next(events);
    assert.equal(snapshot.type, "snapshot");
    assert.deepEqual("runs" in snapshot.data && snapshot.data.runs.map(({ id }) => id), ["one"]);
    assert.deepEqual(told(await next(events)), ["one", 5]);
    put("one", "running", 6);
    assert.deepEqual(told(await next(events)), ["one", 6]);
    put("two", "running", 1);
    assert.deepEqual(told(await next(events)), ["two", 1]);
  });

  it("go on after the last one seen, with how a run stands now rather than all that it went through", async () => {
    put("one", "running", 0);
    const first = subscribe();
    await next(first);
    const seen = await next(first);
    for (let succeeded = 1; succeeded <= 3; succeeded += 1) {
      put("one", "running", succeeded);
      assert.deepEqual(told(await next(first)), ["one", succeeded]);
    }
    watch.tell("one", { type: "notice", message: "Hello" });
    const again = subscribe({ lastEventId: seen.id });
    assert.deepEqual(told(await next(again)), ["one", 3]);
    assert.deepEqual(told(await next(again)), { id: "one", message: "Hello" });
  });

  it("begin anew after one that is not kept, or of an earlier start", async () => {
    put("one", "running", 0);
    const first = subscribe();
    await next(first);
    const seen = await next(first);
    for (let i = 0; i < 2000; i += 1) watch.tell("one", { type: "notice", message: String(i) });
    for (const lastEventId of [seen.id, "abc-1", "x", `${seen.id}9999`])
      assert.equal((await next(subscribe({ lastEventId }))).type, "snapshot", lastEventId);
  });

  it("tell one run alone to who watches one", async () => {
    put("one", "running", 1);
    put("two", "running", 2);
    const events = subscribe({ run: "two" });
    assert.equal((await next(events)).type, "snapshot");
    put("one", "running", 50);
    put("two", "succeeded", 100);
    assert.deepEqual(told(await next(events)), ["two", 100]);
  });

  it("cost nothing while nobody watches, and end when the watcher leaves", async () => {
    put("one", "running", 1);
    const events = subscribe();
    await next(events);
    await next(events);
    const waiting = events.next();
    gone.abort();
    assert.equal((await waiting).done, true);
    assert.equal(watch.watchers, 0);
    const before = looks;
    const other = new AbortController();
    const late = watch.subscribe({ signal: other.signal })[Symbol.asyncIterator]();
    await late.next();
    assert.equal(looks, before + 1, "nothing was read in between");
    other.abort();
    await late.return?.();
  });
});
