import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Dispatch } from "../core/batch.ts";
import { parseBatch } from "../core/batch-file.ts";
import type { DeletedRun, Engine } from "../core/engine.ts";
import { RowcallError } from "../core/errors.ts";
import type { ObjectStore } from "../core/object-store.ts";
import type { Run } from "../core/run.ts";
import type { Services } from "../core/services.ts";
import { openStores } from "../stores/open-store.ts";
import { queueTasks } from "../../test/fakes/queue-tasks.ts";
import { createTestServices, type TestInvoke } from "../../test/fakes/services.ts";
import { runWorker } from "../engines/worker/worker.ts";
import { activitiesPath, openActivityQueue } from "./activity-queue.ts";
import { executionsPath, openExecutionJournal } from "./execution-journal.ts";
import { openLocalEngine } from "../engines/local/local-engine.ts";
import { openDatabase } from "./sqlite.ts";

interface Bench {
  readonly engine: Engine;
  readonly services: Services;
  readonly folder: string;
  readonly data: string;
  /** Runs a table whose cells and answers all hold the word; without an output, as the server's default has it. */
  run(word: string, rows: number, over?: object): Promise<Run>;
  /** Files of the data directory that hold the word. */
  holding(word: string): Promise<readonly string[]>;
}

// Some answers lie in pages of their own, some share one with others.
const answer: TestInvoke = async ({ a }, { row, artifacts }) => {
  if (row % 50 === 0) await artifacts.save("page.txt", Buffer.from(String(a)), "text/plain");
  const long = row % 7 === 0 ? ` ${String(a).repeat(900)}` : "";
  return { structured_output: { field: `${String(a)}${long}`, extra: 1 } };
};

async function withBench(
  work: (bench: Bench) => Promise<void>,
  {
    dispatch = "in_process",
    wrap = (store) => store,
    recordingsPrefix,
    invoke = answer,
  }: {
    readonly dispatch?: Dispatch;
    readonly wrap?: (store: ObjectStore) => ObjectStore;
    readonly recordingsPrefix?: string;
    readonly invoke?: TestInvoke;
  } = {},
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-delete-"));
  const data = join(folder, "data");
  const services = createTestServices({ store: wrap(openStores({ baseDirectory: folder })), invoke });
  const recordings = recordingsPrefix === undefined ? {} : { recordingsPrefix };
  const engine = openLocalEngine({ services, dataDirectory: data, dispatch, ...recordings });
  try {
    await work({
      engine,
      services,
      folder,
      data,
      run: async (word, rows, over = {}) => {
        const input = join(folder, `${word}.csv`);
        await writeFile(input, `a\n${Array.from({ length: rows }, (_, row) => `${word}-${row}-end\n`).join("")}`);
        const value = {
          agent_name: "echo",
          input,
          output: join(data, "results/"),
          execution_config: { max_concurrency: 8 },
          ...over,
        };
        return engine.start({ batch: parseBatch(value, "test batch") });
      },
      holding: async (word) => {
        const found: string[] = [];
        for (const entry of await readdir(data, { recursive: true, withFileTypes: true })) {
          const path = join(entry.parentPath, entry.name);
          if (entry.isFile() && (await readFile(path)).includes(`${word}-`)) found.push(path.slice(data.length + 1));
        }
        return found;
      },
    });
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}

test("no file of the data directory holds a cell, an answer or a recording of a run that was deleted", () =>
  withBench(async ({ engine, run, holding, data, folder }) => {
    await run("first", 300);
    const doomed = await run("doomed", 900, { execution_config: { max_concurrency: 8, dedupe: true } });
    const { id } = await run("other", 300);
    const places = await holding("doomed");
    for (const place of ["journal.db", "runs/", "recordings/", "results/"])
      assert.ok(
        places.some((path) => path.startsWith(place)),
        `${place} of ${places.join(", ")}`,
      );

    const [deleted, ...others] = await engine.delete([doomed.id, doomed.id]);
    assert.equal(others.length, 0);
    assert.deepEqual(await holding("doomed"), []);
    assert.deepEqual(deleted, {
      id: doomed.id,
      rows: 900,
      removed: [doomed.recordingsUri ?? "", doomed.outputUri ?? "", join(data, "runs", doomed.id)],
      left: [{ uri: join(folder, "doomed.csv"), why: "the table that it read" }],
    } satisfies DeletedRun);
    assert.ok(existsSync(join(folder, "doomed.csv")));
    assert.deepEqual((await engine.list()).map((one) => one.id).includes(doomed.id), false);
    await assert.rejects(engine.describe(doomed.id), { code: "RUN_NOT_FOUND" });
    const rows = await Array.fromAsync(engine.rows(id));
    assert.equal(rows.filter(({ status }) => status === "succeeded").length, 300);
    assert.equal((await engine.survey(id)).attempts, 300);
  }));

test("an output and recordings whose place the batch names are left, and told", () =>
  withBench(async ({ engine, run, folder }) => {
    const named = await run("named", 3, {
      output: join(folder, "out/"),
      recording: { prefix: join(folder, "films/") },
    });
    const [deleted] = await engine.delete([named.id]);
    assert.deepEqual(
      deleted?.left.map(({ uri }) => uri),
      [named.recordingsUri, named.outputUri, join(folder, "named.csv")],
    );
    assert.ok(existsSync(named.outputUri ?? ""));
    assert.ok(existsSync(new URL(`${named.recordingsUri ?? ""}/0-1/page.txt`)));
  }));

let failing = true;
test("a table that a rerun wrote beside one that had been changed is deleted with that", () =>
  withBench(
    async ({ engine, run, holding }) => {
      failing = true;
      const { id, outputUri = "" } = await run("twice", 3);
      failing = false;
      await writeFile(outputUri, "twice-changed");
      await engine.rerun(id);
      assert.equal((await holding("twice")).filter((path) => path.startsWith("results/")).length, 2);
      const [deleted] = await engine.delete([id]);
      assert.equal(deleted?.removed.filter((place) => place.includes("results")).length, 2);
      assert.deepEqual(await holding("twice"), []);
    },
    {
      invoke: async (input, context) => {
        if (failing && context.row === 1) throw new RowcallError("ROW_INVALID", "no");
        return answer(input, context);
      },
    },
  ));

test("what the queue of workers and the endpoint keep of a run goes with it", () =>
  withBench(
    async ({ engine, services, data, run, holding }) => {
      const queue = openActivityQueue(activitiesPath(data));
      const drain = new AbortController();
      const working = runWorker({
        tasks: queueTasks(queue, "echo", "tester"),
        services,
        name: "tester",
        concurrency: 8,
        drain: drain.signal,
        backoff: () => 5,
        onEvent: () => {},
      });
      const { id } = await run("queued", 60);
      const kept = await run("kept", 3);
      drain.abort();
      await working;
      // As an attempt that is in flight when its run's process is killed leaves it.
      queue.schedule([{ activity: "echo", key: `${id}/7/2`, input: '"queued-7-end"' }]);
      queue.schedule([{ activity: "echo", key: `${kept.id}/1/1`, input: "{}" }]);
      const executions = openExecutionJournal(executionsPath(data));
      const one = { machine: "batch", name: "one" };
      executions.create({ ...one, input: '"queued-all"' }, { type: "ExecutionStarted" });
      executions.update(one, { runId: id });
      await assert.rejects(engine.delete([id]), { code: "RUN_BUSY", message: /execution batch:one, which is RUNNING/ });
      executions.update(one, { status: "SUCCEEDED", stoppedAt: 1, output: '"queued-all"' });

      await engine.delete([id]);
      assert.equal(executions.find(one), undefined);
      assert.deepEqual([queue.find(`${id}/7/2`), queue.find(`${kept.id}/1/1`)?.key], [undefined, `${kept.id}/1/1`]);
      assert.deepEqual(await holding("queued"), []);
      executions.close();
      queue.close();
    },
    { dispatch: "activity" },
  ));

test("a run in flight is not deleted, nor is any other that is named with it", () => {
  const gate = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  return withBench(
    async ({ engine, run, holding }) => {
      const done = await run("done", 3);
      const running = run("going", 3);
      await entered.promise;
      const [going] = await engine.list();
      await assert.rejects(engine.delete([done.id, going?.id ?? ""]), { code: "RUN_BUSY" });
      assert.equal((await Array.fromAsync(engine.rows(done.id))).length, 3);
      await engine.delete([done.id]);
      assert.deepEqual(await holding("done"), []);
      gate.resolve();
      assert.equal((await running).status, "succeeded");
    },
    {
      invoke: async (input, context) => {
        if (String(input["a"]).startsWith("going")) {
          entered.resolve();
          await gate.promise;
        }
        return answer(input, context);
      },
    },
  );
});

test("a deletion that is cut off leaves a run that can only be deleted again", () => {
  let isCutOff = true;
  return withBench(
    async ({ engine, run, holding }) => {
      const { id } = await run("half", 60, { name: "half" });
      await assert.rejects(engine.delete([id]), { code: "STORE_DENIED" });
      const [found] = await engine.list();
      assert.deepEqual(
        [found?.status, found?.reason],
        ["interrupted", `Its deletion has begun: \`rowcall delete ${id}\` ends it`],
      );
      const gone = { code: "RUN_NOT_FOUND", hint: new RegExp(`rowcall delete ${id}`) };
      for (const call of [
        () => engine.resume(id),
        () => engine.rerun(id),
        () => engine.notify(id),
        () => engine.survey(id),
        () => engine.page(id, { limit: 1 }),
        () => Array.fromAsync(engine.rows(id)),
        () => engine.export(id, { output: "again.csv", format: "csv" }),
        () => run("half", 60, { name: "half" }),
      ])
        await assert.rejects(call(), gone);
      isCutOff = false;
      await engine.delete([id]);
      assert.deepEqual(await engine.list(), []);
      assert.deepEqual(await holding("half"), []);
      assert.equal((await run("half", 60, { name: "half" })).status, "succeeded");
    },
    {
      recordingsPrefix: "memory:recordings",
      wrap: (store) => ({
        ...store,
        delete: async (uri) => {
          if (isCutOff && uri.startsWith("memory:")) throw new RowcallError("STORE_DENIED", "Nobody may delete");
          return store.delete(uri);
        },
      }),
    },
  );
});

const killedAfter: Readonly<Record<string, (data: string, id: string) => Promise<void>>> = {
  "the mark": async () => {},
  "the files": (data, id) => rm(join(data, "runs", id), { recursive: true }),
  "a part of the records": async (data, id) => {
    await rm(join(data, "runs", id), { recursive: true });
    const journal = openDatabase(join(data, "journal.db"));
    journal.prepare("DELETE FROM attempts WHERE run = (SELECT seq FROM runs WHERE id = ?) AND row < 20").run(id);
    journal.close();
  },
};
for (const [point, leave] of Object.entries(killedAfter)) {
  test(`a deletion that was killed after ${point} is ended by the next`, () =>
    withBench(async ({ engine, run, data, holding }) => {
      const { id } = await run("killed", 60);
      const journal = openDatabase(join(data, "journal.db"));
      journal.prepare("UPDATE runs SET deleting = 1, status = 'interrupted' WHERE id = ?").run(id);
      journal.close();
      await leave(data, id);
      await assert.rejects(engine.resume(id), { code: "RUN_NOT_FOUND" });
      assert.equal((await engine.delete([id])).length, 1);
      assert.deepEqual(await holding("killed"), []);
      assert.deepEqual(await engine.list(), []);
      assert.deepEqual(await readdir(join(data, "runs")), []);
    }));
}

test("traces that a deletion had to leave in the journal are told, and taken out by the next", () =>
  withBench(async ({ engine, run, data, holding }) => {
    const { id } = await run("traced", 60);
    const reader = openDatabase(join(data, "journal.db"));
    reader.exec("PRAGMA busy_timeout = 0; BEGIN; SELECT count(*) FROM attempts");
    const reading = reader.prepare("SELECT * FROM attempts").iterate();
    reading.next();
    const [deleted] = await engine.delete([id]);
    const left = deleted?.left.find(({ uri }) => uri.endsWith("journal.db"));
    assert.match(left?.why ?? "", /may hold traces of deleted rows.*another process is reading it/);
    reading.return?.();
    reader.close();
    assert.deepEqual(await engine.delete([]), []);
    assert.deepEqual(await holding("traced"), []);
  }));
