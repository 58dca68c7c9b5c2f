import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTestIo, type TestIo } from "../../../test/fakes/io.ts";
import { useWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";
import type { Run } from "../../core/run.ts";
import { runCli } from "../run-cli.ts";

describe("rowcall resume of a paused run", () => {
  let workspace: Workspace;
  useWorkspace(6, (made) => (workspace = made));
  const newIo = (): TestIo => createTestIo({ workingDirectory: workspace.folder });
  const show = async (): Promise<Run> => {
    const io = newIo();
    await runCli(["show", "last", "--json"], io);
    return JSON.parse(io.out()) as Run;
  };

  /** Runs the batch, and pauses it with rows left; nothing of it is in flight then. */
  const paused = async (): Promise<{ readonly io: TestIo; readonly running: Promise<number> }> => {
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    workspace.onRow = () => {
      entered.resolve();
      return gate.promise;
    };
    const io = newIo();
    const running = runCli(["run", "batch.json"], io);
    await entered.promise;
    assert.equal(await runCli(["pause", "last"], newIo()), 0);
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    while (!io.err().includes("Paused: no attempt starts")) await turn();
    gate.resolve();
    while ((await show()).counts.inFlight > 0) await turn();
    return { io, running };
  };

  it("is possible where a list and a report say that it is paused", async () => {
    const { running } = await paused();
    for (const command of [["runs"], ["show", "last"]]) {
      const io = newIo();
      assert.equal(await runCli(command, io), 0);
      assert.match(io.out() + io.err(), /\bpaused\b/, command.join(" "));
    }
    assert.equal(await runCli(["resume", "last"], newIo()), 0);
    assert.equal(await running, 3);
  });

  it("lets the process that has it go on, says so, and ends with 0", async () => {
    const { running } = await paused();
    const io = newIo();
    assert.equal(await runCli(["resume", "last", "--json"], io), 0, io.err());
    const { id, status, paused: isPaused } = JSON.parse(io.out()) as Run;
    assert.deepEqual([status, isPaused], ["running", undefined]);
    assert.equal(io.err(), `Run ${id} continues in the process that has it.\n`);
    assert.equal(await running, 3);
  });

  it("goes on here when no process has it", async () => {
    const { io: before, running } = await paused();
    before.interrupt();
    assert.equal(await running, 130);
    const { status, paused: isPaused } = await show();
    assert.deepEqual([status, isPaused], ["interrupted", true]);
    const io = newIo();
    assert.equal(await runCli(["resume", "last"], io), 3, io.err());
    assert.equal((await show()).status, "succeeded");
    assert.doesNotMatch(io.err(), /paused/);
  });
});
