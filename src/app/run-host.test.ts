import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { useWorkspace, type Workspace } from "../../test/fakes/workspace.ts";
import { createRowcall, type Rowcall } from "./create-rowcall.ts";
import type { RunHandle } from "./run-host.ts";

describe("a run that is resumed", () => {
  let workspace: Workspace;
  useWorkspace(12, (made) => (workspace = made));

  /** Two that share a data directory, as two processes do. */
  const withTwo = async (work: (one: Rowcall, other: Rowcall) => Promise<void>): Promise<void> => {
    const open = (): Promise<Rowcall> => createRowcall({ workingDirectory: workspace.folder, env: {} });
    const [one, other] = await Promise.all([open(), open()]);
    try {
      await work(one, other);
    } finally {
      await Promise.all([one.close(), other.close()]);
    }
  };

  /** Starts a run and pauses it with rows left; nothing of it is in flight then. */
  const pausedBy = async (rowcall: Rowcall): Promise<RunHandle> => {
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    workspace.onRow = () => {
      entered.resolve();
      return gate.promise;
    };
    const handle = await rowcall.start({ batch: await rowcall.readBatch("batch.json") });
    await entered.promise;
    await rowcall.runs.adjust(handle.run.id, { paused: true });
    gate.resolve();
    while ((await rowcall.runs.describe(handle.run.id)).counts.inFlight > 0)
      await new Promise((resolve) => setImmediate(resolve));
    return handle;
  };

  it("goes on here when it is paused here, under the handle that it has", async () => {
    await withTwo(async (one) => {
      const { run, how, ended } = await pausedBy(one);
      assert.equal(how, "here");
      const resumed = await one.resume(run.id);
      assert.deepEqual([resumed.how, resumed.run.status, resumed.run.paused], ["here", "running", undefined]);
      assert.equal(resumed.ended, ended);
      assert.equal((await ended).status, "succeeded");
    });
  });

  it("goes on in the process that has it when that has paused it", async () => {
    await withTwo(async (one, other) => {
      const { run, ended } = await pausedBy(one);
      const resumed = await other.resume(run.id);
      assert.deepEqual([resumed.how, resumed.run.status], ["elsewhere", "running"]);
      assert.equal((await resumed.ended).id, run.id);
      assert.deepEqual(await Array.fromAsync(resumed.events), []);
      assert.equal((await ended).status, "succeeded");
    });
  });

  it("goes on here, its pause taken back, when the process that had it has ended", async () => {
    await withTwo(async (one, other) => {
      const { run, ended } = await pausedBy(one);
      await one.close();
      assert.equal((await ended).status, "interrupted");
      assert.equal((await other.runs.describe(run.id)).paused, true);
      const resumed = await other.resume(run.id);
      assert.equal(resumed.how, "here");
      assert.equal((await resumed.ended).status, "succeeded");
    });
  });

  it("is left as it is when it has finished, and busy when it is going", async () => {
    await withTwo(async (one, other) => {
      const gate = Promise.withResolvers<void>();
      workspace.onRow = () => gate.promise;
      const { run, ended } = await one.start({ batch: await one.readBatch("batch.json") });
      await assert.rejects(other.resume(run.id), { code: "RUN_BUSY" });
      gate.resolve();
      await ended;
      const { how, run: shown } = await other.resume(run.id);
      assert.deepEqual([how, shown.status], ["finished", "succeeded"]);
    });
  });
});
