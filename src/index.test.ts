import assert from "node:assert/strict";
import { test } from "node:test";
import { createWorkspace } from "../test/fakes/workspace.ts";
import { loadBatch, openEngine, wire } from "./index.ts";

test("the front door opens an engine that runs a batch file", async () => {
  const workspace = await createWorkspace(3);
  try {
    const wiring = wire({ workingDirectory: workspace.folder, env: {} });
    const engine = await openEngine(wiring);
    try {
      const run = await engine.start({
        batch: await loadBatch(wiring.services, "batch.json", { output: "library.csv" }),
      });
      assert.deepEqual(
        [run.status, run.counts.succeeded, run.outputUri],
        ["succeeded", 3, workspace.at("library.csv")],
      );
    } finally {
      await engine.close();
    }
  } finally {
    await workspace.remove();
  }
});
