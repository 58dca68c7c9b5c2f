import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { activityQueueContract } from "../../../test/contracts/activity-queue-contract.ts";
import { openActivityQueue } from "./activity-queue.ts";

for (const [name, connections] of [
  ["activity queue", 1],
  ["activity queue, scheduler and server apart", 2],
] as const) {
  activityQueueContract(name, async () => {
    const folder = await mkdtemp(join(tmpdir(), "rowcall-queue-"));
    let now = 1_000_000;
    const open = () => openActivityQueue(join(folder, "activities.db"), () => now);
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
