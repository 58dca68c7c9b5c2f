import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Dispatch } from "../../core/batch.ts";
import { parseBatch } from "../../core/batch-file.ts";
import type { Notification } from "../../core/channel.ts";
import type { Engine } from "../../core/engine.ts";
import { RowcallError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import type { ObjectStore } from "../../core/object-store.ts";
import type { Services } from "../../core/services.ts";
import { openStores } from "../../stores/open-store.ts";
import { telemetrySettings } from "../../telemetry/telemetry-settings.ts";
import { withTelemetry } from "../../telemetry/with-telemetry.ts";
import type { EngineHarness } from "../../../test/contracts/engine-harness.ts";
import { describeLocalEngine } from "../../../test/contracts/local-engine-contract.ts";
import { startCollector } from "../../../test/fakes/collector.ts";
import { queueTasks } from "../../../test/fakes/queue-tasks.ts";
import { createTestServices, type TestInvoke } from "../../../test/fakes/services.ts";
import { runWorker } from "../worker/worker.ts";
import { activitiesPath, openActivityQueue } from "../../runs/activity-queue.ts";
import { openLocalEngine } from "./local-engine.ts";
import { openDatabase } from "../../runs/sqlite.ts";

describeLocalEngine("local", (invoke) => openHarness(invoke, "in_process"));

describeLocalEngine("local, with workers", async (invoke) => {
  const harness = await openHarness(invoke, "activity");
  const queue = openActivityQueue(activitiesPath(join(harness.directory, "data")));
  const drain = new AbortController();
  const working = runWorker({
    tasks: queueTasks(queue, "echo", "tester"),
    services: harness.services,
    name: "tester",
    concurrency: 4,
    drain: drain.signal,
    backoff: () => 5,
    onEvent: () => {},
  });
  return {
    ...harness,
    close: async () => {
      drain.abort();
      await working;
      queue.close();
      await harness.close();
    },
  };
});

describeLocalEngine("local, with telemetry", async (invoke) => {
  const collector = await startCollector();
  const settings = telemetrySettings({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  assert.ok(settings !== undefined);
  const harness = await openHarness(invoke, "in_process", (engine) => withTelemetry(engine, settings, Date.now));
  return {
    ...harness,
    close: async () => {
      await harness.close();
      await collector.close();
    },
  };
});

async function openHarness(
  invoke: TestInvoke,
  dispatch: Dispatch,
  around: (engine: Engine) => Engine = (engine) => engine,
): Promise<EngineHarness & { readonly directory: string; readonly services: Services }> {
  const directory = await mkdtemp(join(tmpdir(), "rowcall-engine-"));
  const told: Notification[] = [];
  let deaf = false;
  const isDeaf = (): boolean => deaf;
  const services = createTestServices({ store: openStores({ baseDirectory: directory }), invoke, told, isDeaf });
  const open = (): Engine => around(openLocalEngine({ services, dataDirectory: join(directory, "data"), dispatch }));
  const engines = [open()];
  return {
    directory,
    services,
    engine: engines[0] as Engine,
    reopen: () => {
      const engine = open();
      engines.push(engine);
      return engine;
    },
    told,
    setDeaf: (now) => {
      deaf = now;
    },
    writeInput: async (text) => {
      await writeFile(join(directory, "in.csv"), text);
      return join(directory, "in.csv");
    },
    read: (uri) => readFile(uri.startsWith("file:") ? fileURLToPath(uri) : uri, "utf8"),
    outputPrefix: `${join(directory, "out")}/`,
    close: async () => {
      await Promise.all(engines.map((engine) => engine.close()));
      await rm(directory, { recursive: true });
    },
  };
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-engine-"));
  await writeFile(join(folder, "in.csv"), "a\n1\n2\n");
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const untouched = async (): Promise<never> => assert.fail("the agent was called");

test("an output that cannot be written is found before the agent is called or a run is noted", () =>
  inFolder(async (folder) => {
    const services = createTestServices({ store: openStores({ baseDirectory: folder }), invoke: untouched });
    const engine = openLocalEngine({ services, dataDirectory: join(folder, "data") });
    try {
      for (const output of ["in.csv/results/", "in.csv/out.csv"]) {
        const batch = parseBatch({ agent_name: "echo", input: "in.csv", output }, "test batch");
        await assert.rejects(engine.start({ batch }), { code: /^STORE_/, message: /^Cannot write .*in\.csv/ });
      }
      assert.deepEqual(await engine.list(), []);
    } finally {
      await engine.close();
    }
  }));

test("an agent that cannot be opened leaves no run behind", () =>
  inFolder(async (folder) => {
    const store = openStores({ baseDirectory: folder });
    const openAgent = async (): Promise<never> => {
      throw new RowcallError("CHROMIUM_NOT_FOUND", "No Chromium that works was found");
    };
    const services = { ...createTestServices({ store, invoke: untouched }), openAgent };
    const engine = openLocalEngine({ services, dataDirectory: join(folder, "data") });
    try {
      const batch = parseBatch({ agent_name: "echo", input: "in.csv", output: "out/" }, "test batch");
      await assert.rejects(engine.start({ batch }), { code: "CHROMIUM_NOT_FOUND" });
      assert.deepEqual(await engine.list(), []);
    } finally {
      await engine.close();
    }
  }));

test("a rerun that has no row to attempt again opens no agent", () =>
  inFolder(async (folder) => {
    let opened = 0;
    const invoke = async (): Promise<{ structured_output: { field: number } }> => ({ structured_output: { field: 1 } });
    const services = createTestServices({ store: openStores({ baseDirectory: folder }), invoke });
    const openAgent: Services["openAgent"] = (...given) => {
      opened += 1;
      return services.openAgent(...given);
    };
    const engine = openLocalEngine({ services: { ...services, openAgent }, dataDirectory: join(folder, "data") });
    try {
      const batch = parseBatch({ agent_name: "echo", input: "in.csv", output: "out/" }, "test batch");
      const run = await engine.start({ batch });
      assert.deepEqual([await engine.rerun(run.id), opened], [run, 1]);
    } finally {
      await engine.close();
    }
  }));

test("a rerun opens the agent for rows that it attempts again, and not to find out that there are none", () =>
  inFolder(async (folder) => {
    let opened = 0;
    let isMended = false;
    const invoke = async (): Promise<JsonObject> => {
      if (!isMended) throw new RowcallError("AGENT_FAILED", "not yet");
      return { structured_output: { field: 1, extra: 1 } };
    };
    const made = createTestServices({ store: openStores({ baseDirectory: folder }), invoke });
    const openAgent: typeof made.openAgent = (...given) => {
      opened += 1;
      return made.openAgent(...given);
    };
    const engine = openLocalEngine({ services: { ...made, openAgent }, dataDirectory: join(folder, "data") });
    try {
      const execution_config = { retry_strategy: { max_attempts: 0 } };
      const file = { agent_name: "echo", input: "in.csv", output: "out/", execution_config };
      const { id } = await engine.start({ batch: parseBatch(file, "test batch") });
      for (const choice of [{ codes: ["TIMEOUT"] as const }, { rows: [[2, 9]] as const }]) {
        const { counts, status } = await engine.rerun(id, choice);
        assert.deepEqual([counts.failed, status, opened], [2, "succeeded", 1]);
      }
      isMended = true;
      const rerun = await engine.rerun(id, { rows: [[1, 9]] });
      assert.deepEqual([rerun.counts.failed, opened], [1, 2]);
    } finally {
      await engine.close();
    }
  }));

test("an input that is missing is told with the file that was probably meant", () =>
  inFolder(async (folder) => {
    const services = createTestServices({ store: openStores({ baseDirectory: folder }), invoke: untouched });
    const engine = openLocalEngine({ services, dataDirectory: join(folder, "data") });
    try {
      const batch = parseBatch({ agent_name: "echo", input: "im.csv", output: "out/" }, "test batch");
      await assert.rejects(engine.start({ batch }), { code: "INPUT_NOT_FOUND", hint: /^Did you mean "in\.csv"\?/ });
    } finally {
      await engine.close();
    }
  }));

test("a data directory that cannot be made is told with what to do", () =>
  inFolder(async (folder) => {
    const services = createTestServices({ store: openStores({ baseDirectory: folder }), invoke: untouched });
    assert.throws(() => openLocalEngine({ services, dataDirectory: join(folder, "in.csv") }), {
      code: "STORE_DENIED",
      message: /^The data directory .* cannot be made/,
      hint: /--data-dir/,
    });
  }));

test("a run whose output cannot be written at the end is told as a failure", () =>
  inFolder(async (folder) => {
    const files = openStores({ baseDirectory: folder });
    const told: Notification[] = [];
    const store: ObjectStore = {
      ...files,
      write: async (uri, content, options) => {
        if (uri.endsWith(".csv")) throw new RowcallError("STORE_FAILED", "The bucket is gone");
        return files.write(uri, content, options);
      },
    };
    const services = createTestServices({ store, invoke: async () => ({ structured_output: { field: 1 } }), told });
    const engine = openLocalEngine({ services, dataDirectory: join(folder, "data") });
    try {
      const value = {
        agent_name: "echo",
        input: "in.csv",
        output: "out/",
        notification_config: { channels: ["test:"] },
      };
      await assert.rejects(engine.start({ batch: parseBatch(value, "test batch") }), { code: "STORE_FAILED" });
      const [{ kind, run, body } = assert.fail("nobody was told")] = told;
      assert.deepEqual([kind, run.status, run.counts.succeeded], ["failure", "failed", 2]);
      assert.match(body, /^Status: failed, The bucket is gone$/m);
      assert.match(body, /^Output: none$/m);
    } finally {
      await engine.close();
    }
  }));

test("a journal of the first version gets what has been added since, and keeps its runs", () =>
  inFolder(async (folder) => {
    const services = createTestServices({
      store: openStores({ baseDirectory: folder }),
      invoke: async () => ({ structured_output: { field: 1 } }),
    });
    const dataDirectory = join(folder, "data");
    const batch = parseBatch(
      { agent_name: "echo", input: "in.csv", output: "out/", notification_config: { channels: ["test:"] } },
      "test batch",
    );
    const before = openLocalEngine({ services, dataDirectory });
    const run = await before.start({ batch });
    await before.close();
    const database = openDatabase(join(dataDirectory, "journal.db"));
    database.exec(
      "DROP TABLE deliveries; ALTER TABLE runs DROP COLUMN limits; ALTER TABLE runs DROP COLUMN writing; ALTER TABLE runs DROP COLUMN deleting; ALTER TABLE runs DROP COLUMN outputs; DROP TABLE traces; DROP INDEX failed_rows; DROP INDEX waiting_rows; ALTER TABLE attempts DROP COLUMN due_at; PRAGMA user_version = 1",
    );
    database.close();

    const engine = openLocalEngine({ services, dataDirectory });
    try {
      assert.deepEqual(await engine.deliveries?.(run.id), []);
      assert.deepEqual(
        (await engine.notify(run.id)).map(({ status, tries }) => [status, tries]),
        [["delivered", 1]],
      );
    } finally {
      await engine.close();
    }
  }));
