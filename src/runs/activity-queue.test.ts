import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { activityQueueContract } from "../../test/contracts/activity-queue-contract.ts";
import { openActivityQueue } from "./activity-queue.ts";

for (const [name, connections] of [
  ["activity queue", 1],
  ["activity queue, scheduler and server apart", 2],
] as const) {
  activityQueueContract(name, async () => {
    const folder = await mkdtemp(join(tmpdir(), "rowcall-queue-"));
    let now = 1_000_000;
    const open = () => openActivityQueue(join(folder, "activities.db"), { clock: () => now, monotonic: () => now });
    const scheduler = open();
    const server = connections === 1 ? scheduler : open();
    return {
      scheduler,
      server,
      advance: (ms) => (now += ms),
      close: async () => {
        scheduler.close();
        server.close();
        await rm(folder, { recursive: true });
      },
    };
  });
}

test("what was scheduled, taken and answered is there after the process has ended", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-queue-"));
  try {
    const path = join(folder, "activities.db");
    const before = openActivityQueue(path);
    before.createActivity("lookup");
    before.schedule(["a", "b", "c"].map((key) => ({ activity: "lookup", key, input: key })));
    const signal = new AbortController().signal;
    const answered = await before.take("lookup", "w1", signal);
    const underWay = await before.take("lookup", "w2", signal);
    before.succeed(answered?.token ?? "", "1");
    before.close();
    const after = openActivityQueue(path);
    assert.equal(after.find("a")?.end?.status, "succeeded");
    assert.equal(after.heartbeat(underWay?.token ?? ""), "accepted");
    assert.equal((await after.take("lookup", "w3", signal))?.input, "c");
    after.close();
  } finally {
    await rm(folder, { recursive: true });
  }
});

const day = 86_400_000;

for (const [how, set] of [
  ["back", -day],
  ["forward", day],
] as const) {
  test(`a clock that is set ${how} a day neither ends a task nor keeps it, and spoils no duration`, async () => {
    let [now, offset] = [1_000_000, 0];
    const queue = openActivityQueue(":memory:", { clock: () => 1e12 + now + offset, monotonic: () => now });
    queue.createActivity("lookup");
    queue.schedule([{ activity: "lookup", key: "a", input: "1", heartbeatSeconds: 10, timeoutSeconds: 60 }]);
    const task = await queue.take("lookup", "w1", new AbortController().signal);
    const token = task?.token ?? "";
    offset = set;
    now += 9000;
    assert.equal(queue.heartbeat(token), "accepted");
    assert.deepEqual(queue.recentWorkers("lookup", 1000), ["w1"]);
    now += 10_000;
    assert.deepEqual(queue.recentWorkers("lookup", 1000), []);
    assert.equal(queue.heartbeat(token), "over");
    const { startedAt = 0, endedAt = 0, end } = queue.find("a") ?? {};
    assert.deepEqual([endedAt - startedAt, end], [19_000, { status: "timed_out", limit: "heartbeat" }]);
    queue.close();
  });
}

test("a task that was taken before the machine was started anew ends in its time", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-queue-"));
  try {
    let now = 50 * day;
    const open = () => openActivityQueue(join(folder, "activities.db"), { clock: () => 1e12, monotonic: () => now });
    const before = open();
    before.createActivity("lookup");
    before.schedule([{ activity: "lookup", key: "a", input: "1", heartbeatSeconds: 10 }]);
    const task = await before.take("lookup", "w1", new AbortController().signal);
    before.close();
    now = 30_000;
    const after = open();
    assert.deepEqual(after.recentWorkers("lookup", 60_000), []);
    now += 9000;
    assert.equal(after.heartbeat(task?.token ?? ""), "accepted");
    now += 10_000;
    assert.equal(after.heartbeat(task?.token ?? ""), "over");
    const { startedAt, endedAt } = after.find("a") ?? {};
    assert.equal(endedAt, startedAt);
    after.close();
  } finally {
    await rm(folder, { recursive: true });
  }
});
