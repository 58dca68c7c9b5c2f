import assert from "node:assert/strict";
import { test } from "node:test";
import { createWorkspace } from "../test/fakes/workspace.ts";
import { createRowcall, type RunEvent } from "./index.ts";

test("the front door plans, tries and runs a batch, and tells how it goes", async () => {
  const workspace = await createWorkspace(3);
  try {
    const rowcall = await createRowcall({ workingDirectory: workspace.folder, env: {} });
    try {
      const batch = await rowcall.readBatch("batch.json", { output: "library.csv" });
      const plan = await rowcall.plan(batch);
      assert.deepEqual([plan.runnable, plan.rows], [true, 3]);
      const { attempt } = await rowcall.try(batch, { row: 2 });
      assert.equal(attempt.outcome.status, "succeeded");

      const { run, events, ended } = await rowcall.start({ batch });
      const heard: RunEvent["type"][] = [];
      for await (const { type } of events) heard.push(type);
      const { id, status, counts, outputUri } = await ended;
      assert.deepEqual([id, status, counts.succeeded], [run.id, "succeeded", 3]);
      assert.equal(outputUri, workspace.at("library.csv"));
      assert.ok(
        heard.every((type) => ["progress", "attempt", "warning", "notice"].includes(type)),
        String(heard),
      );
      assert.equal((await rowcall.runs.describe(id)).status, "succeeded");
      assert.equal((await rowcall.find("last")).id, id);
    } finally {
      assert.deepEqual(await rowcall.close(), []);
    }
  } finally {
    await workspace.remove();
  }
});

test("a plan reckons with what earlier rows took, as that of the command line does", async () => {
  const workspace = await createWorkspace(3);
  try {
    const rowcall = await createRowcall({ workingDirectory: workspace.folder, env: {} });
    try {
      const batch = await rowcall.readBatch("batch.json");
      assert.match((await rowcall.plan(batch)).estimate.basis, /^seconds per row is not known/);
      const { ended } = await rowcall.start({ batch });
      await ended;
      const plan = await rowcall.plan(batch, { force: true, probe: true, given: { costPerRowUsd: 0.5 } });
      assert.equal(plan.estimate.costUsd, 1.5);
      assert.match(plan.estimate.basis, /\(the mean of 3 earlier rows\); \$0\.5 per row \(given\)$/);
      const ofChecks = new Map(plan.checks.map(({ id, status }) => [id, status]));
      assert.deepEqual([ofChecks.get("structured_output_returned"), ofChecks.get("browser")], ["passed", "skipped"]);
    } finally {
      await rowcall.close();
    }
  } finally {
    await workspace.remove();
  }
});

test("a batch that is there as an object is taken as it is, and its problems are named", async () => {
  const workspace = await createWorkspace(1);
  try {
    const rowcall = await createRowcall({ workingDirectory: workspace.folder, env: {} });
    try {
      const batch = await rowcall.readBatch({ agent: "doubler", input: "rows.csv", output: "out.csv" });
      assert.equal(batch.inputUri, workspace.at("rows.csv"));
      await assert.rejects(rowcall.readBatch({ agent: "doubler", inputs: "rows.csv" }), {
        code: "BATCH_INVALID",
        message: /unknown key "inputs"/,
      });
    } finally {
      await rowcall.close();
    }
  } finally {
    await workspace.remove();
  }
});

test("a run is stopped by its handle, and goes on by its id; closing drains the others", async () => {
  const workspace = await createWorkspace(40);
  try {
    const rowcall = await createRowcall({ workingDirectory: workspace.folder, env: {} });
    const batch = await rowcall.readBatch("batch.json", { output: "out.csv" });
    const holding = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    workspace.onRow = (n) => {
      if (n === 5) begun.resolve();
      return n === 5 ? holding.promise : undefined;
    };
    const started = await rowcall.start({ batch });
    await begun.promise;
    started.stop();
    holding.resolve();
    const stopped = await started.ended;
    assert.equal(stopped.status, "interrupted");
    assert.ok(stopped.counts.pending > 0);

    const { ended } = await rowcall.resume(stopped.id);
    assert.equal((await ended).status, "succeeded");
    assert.deepEqual(await rowcall.close(), []);
    await assert.rejects(rowcall.start({ batch }), { code: "INTERRUPTED" });
  } finally {
    await workspace.remove();
  }
});

test("agents, stores and channels of one's own stand beside the known ones", async () => {
  const workspace = await createWorkspace(2);
  const kept = new Map<string, string>();
  const told: string[] = [];
  try {
    const rowcall = await createRowcall({
      workingDirectory: workspace.folder,
      env: {},
      agents: {
        shout: async ({ config }) => ({
          invoke: async ({ text }) => ({
            structured_output: { loud: `${String(text).toUpperCase()}${String(config["end"])}` },
          }),
          close: async () => {},
        }),
      },
      stores: {
        catalog: async () => {
          const { openMemoryStore } = await import("./stores/memory-store.ts");
          const memory = openMemoryStore({ clock: Date.now });
          const write: typeof memory.write = async (uri, content, options) => {
            const chunks: Uint8Array[] = [];
            if (content instanceof Uint8Array) chunks.push(content);
            else for await (const chunk of content) chunks.push(chunk);
            kept.set(uri, Buffer.concat(chunks).toString());
            return memory.write(uri, Buffer.concat(chunks), options);
          };
          return { ...memory, write };
        },
      },
      channels: {
        pager: { form: "pager:TEAM", open: async (address) => ({ notify: async () => void told.push(address) }) },
      },
    });
    try {
      const structured_output = { enabled: true, output_fields: ["loud"] };
      const agent = { agent_name: "loud", version: "1.0.0", kind: "shout", config: { end: "!" }, structured_output };
      await workspace.write("registry/agents/loud_v1.0.0.json", agent);
      const batch = await rowcall.readBatch({
        agent: "loud",
        input: "rows.csv",
        output: "catalog:out.csv",
        notification_config: { channels: ["pager:night"] },
      });
      const { ended } = await rowcall.start({ batch });
      assert.equal((await ended).counts.succeeded, 2);
      assert.match(kept.get("catalog:out.csv") ?? "", /ROW, 1!/);
      assert.deepEqual(told, ["pager:night"]);
    } finally {
      await rowcall.close();
    }
  } finally {
    await workspace.remove();
  }
});
