import assert from "node:assert/strict";
import { describe, it, afterEach, beforeEach } from "node:test";
import { batchOf, openTestServer, type TestServer } from "../../test/fakes/server.ts";
import { useWorkspace, type Workspace } from "../../test/fakes/workspace.ts";

interface Detail {
  readonly run: { readonly id: string; readonly status: string; readonly paused?: true };
  readonly limits: Record<string, unknown>;
  readonly isHere: boolean;
}

describe("runs of a server", () => {
  let workspace: Workspace;
  let server: TestServer;
  useWorkspace(30, (made) => (workspace = made));
  beforeEach(async () => {
    server = await openTestServer(workspace);
  });
  afterEach(() => server.end());

  it("starts a run that goes on after the answer, and steers it", async () => {
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    workspace.onRow = (n) => {
      if (n === 1) entered.resolve();
      return gate.promise;
    };
    const { run, isHere } = await server.ask<Detail>("POST", "/runs", { batch: await batchOf(workspace) });
    assert.equal(run.status, "running");
    assert.ok(isHere);
    await entered.promise;
    const paused = await server.ask<Detail>("POST", `/runs/${run.id}/pause`);
    assert.equal(paused.run.paused, true);
    gate.resolve();
    await server.until(run.id, ({ counts }) => counts["succeeded"] === 2 && counts["inFlight"] === 0);
    const adjusted = await server.ask<Detail>("PATCH", `/runs/${run.id}/limits`, { maxConcurrency: 7 });
    assert.deepEqual(adjusted.limits, { maxConcurrency: 7, paused: true });
    await server.ask("POST", `/runs/${run.id}/unpause`);
    await server.until(run.id, ({ status }) => status === "succeeded");
    assert.equal((await workspace.read("out.csv")).split("\n").length, 32);
    const { runs } = await server.ask<{ runs: { id: string; successRate: number }[] }>("GET", "/runs");
    assert.deepEqual([runs[0]?.id, runs[0]?.successRate], [run.id, 0.9]);
  });

  it("takes back the pause of a run that is resumed", async () => {
    const gate = Promise.withResolvers<void>();
    workspace.onRow = () => gate.promise;
    const { run } = await server.ask<Detail>("POST", "/runs", { batch: await batchOf(workspace) });
    await server.ask("POST", `/runs/${run.id}/pause`);
    gate.resolve();
    await server.until(run.id, ({ counts }) => counts["inFlight"] === 0);
    const resumed = await server.ask<Detail>("POST", `/runs/${run.id}/resume`);
    assert.deepEqual([resumed.run.paused, resumed.isHere], [undefined, true]);
    await server.until(run.id, ({ status }) => status === "succeeded");
  });
});
