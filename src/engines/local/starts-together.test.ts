import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { parseBatch } from "../../core/batch-file.ts";
import type { Engine, StartRequest } from "../../core/engine.ts";
import { openStores } from "../../stores/open-store.ts";
import { createTestServices } from "../../../test/fakes/services.ts";
import { openDatabase } from "../../runs/sqlite.ts";
import { openLocalEngine } from "./local-engine.ts";

interface Bench {
  readonly folder: string;
  at(...names: string[]): string;
  open(gate?: Promise<void>): Engine;
  request: StartRequest;
}

async function inFolder(work: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-starts-"));
  const at = (...names: string[]): string => join(folder, ...names);
  const engines: Engine[] = [];
  await writeFile(at("in.csv"), "a\n1\n2\n");
  try {
    await work({
      folder,
      at,
      open: (gate) => {
        const invoke = async (): Promise<object> => {
          await gate;
          return { structured_output: { field: 1 } };
        };
        const services = createTestServices({ store: openStores({ baseDirectory: folder }), invoke: invoke as never });
        const engine = openLocalEngine({ services, dataDirectory: at("data") });
        engines.push(engine);
        return engine;
      },
      request: { batch: parseBatch({ agent_name: "echo", input: "in.csv", output: "out/" }, "test") },
    });
  } finally {
    for (const engine of engines) await engine.close();
    await rm(folder, { recursive: true });
  }
}

test("forty runs that start at once in one folder all end with a table of their own", () =>
  inFolder(async ({ open, request, at }) => {
    const engine = open();
    const runs = await Promise.all(Array.from({ length: 40 }, () => engine.start(request)));
    assert.deepEqual(new Set(runs.map(({ status }) => status)), new Set(["succeeded"]));
    assert.equal(new Set(runs.map(({ outputUri }) => outputUri)).size, 40);
    assert.equal((await readdir(at("out"))).length, 40);
  }));

test("so do those of several processes", () =>
  inFolder(async ({ folder, open, request, at }) => {
    const module = (path: string): string => JSON.stringify(pathToFileURL(join(import.meta.dirname, path)).href);
    const script = `
      import { openLocalEngine } from ${module("local-engine.ts")};
      import { openStores } from ${module("../../stores/open-store.ts")};
      import { createTestServices } from ${module("../../../test/fakes/services.ts")};
      const invoke = async () => ({ structured_output: { field: 1 } });
      const services = createTestServices({ store: openStores({ baseDirectory: ${JSON.stringify(folder)} }), invoke });
      const engine = openLocalEngine({ services, dataDirectory: ${JSON.stringify(at("data"))} });
      process.stdin.once("data", async () => {
        await Promise.all(Array.from({ length: 10 }, () => engine.start(${JSON.stringify(request)})));
        await engine.close();
        process.exit(0);
      });
      console.log("ready");
    `;
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["pipe", "pipe", "inherit"] }),
    );
    const closed = children.map((child) => once(child, "close"));
    await Promise.all(children.map((child) => once(child.stdout, "data")));
    for (const child of children) child.stdin.write("go\n");
    assert.deepEqual(
      (await Promise.all(closed)).map(([code]) => code as unknown),
      [0, 0, 0, 0],
    );
    const runs = await open().list();
    assert.deepEqual([runs.length, new Set(runs.map(({ outputUri }) => outputUri)).size], [40, 40]);
    assert.equal((await readdir(at("out"))).length, 40);
  }));

test("a run that another process looks at all the time can be resumed each time", () =>
  inFolder(async ({ folder, open, request, at }) => {
    const engine = open();
    const { id } = await engine.start(request);
    const module = (path: string): string => JSON.stringify(pathToFileURL(join(import.meta.dirname, path)).href);
    const script = `
      import { openLocalEngine } from ${module("local-engine.ts")};
      import { openStores } from ${module("../../stores/open-store.ts")};
      import { createTestServices } from ${module("../../../test/fakes/services.ts")};
      const store = openStores({ baseDirectory: ${JSON.stringify(folder)} });
      const services = createTestServices({ store, invoke: async () => ({}) });
      const engine = openLocalEngine({ services, dataDirectory: ${JSON.stringify(at("data"))} });
      console.log("looking");
      for (;;) await engine.list();
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const closed = once(child, "close");
    const journal = openDatabase(at("data", "journal.db"));
    try {
      await once(child.stdout, "data");
      for (let n = 0; n < 40; n += 1) {
        // As a process leaves it that is killed.
        journal.exec("UPDATE runs SET status = 'running'");
        assert.equal((await engine.resume(id)).status, "succeeded");
      }
    } finally {
      child.kill("SIGKILL");
      await closed;
      journal.close();
    }
  }));

test("of starts that race for one name one makes the run; the others meet it as if they had come later", () =>
  inFolder(async ({ open, request, at }) => {
    const gate = Promise.withResolvers<void>();
    const named = { ...request, name: "monday" };
    const engines = Array.from({ length: 6 }, () => open(gate.promise));
    const starts = engines.map((engine) => engine.start(named));
    let waiting = starts.length;
    // All but the one that runs its rows end before a row does.
    const settled = starts.map((start) =>
      start.then(
        ({ id }) => id,
        (error: { code: string }) => {
          waiting -= 1;
          if (waiting === 1) gate.resolve();
          return error.code;
        },
      ),
    );
    const told = await Promise.all(settled);
    const [{ id } = assert.fail(), ...others] = await open().list();
    assert.deepEqual(others, []);
    assert.deepEqual(told.toSorted(), [id, ...Array.from({ length: 5 }, () => "RUN_BUSY")].toSorted());
    assert.deepEqual(await readdir(at("data", "runs")), [id]);
    assert.equal((await open().start(named)).id, id);
  }));

test("what staging left of runs that never began is removed by the next start, and nothing else", () =>
  inFolder(async ({ open, request, at }) => {
    const gate = Promise.withResolvers<void>();
    const staging = Promise.withResolvers<void>();
    const first = await open().start(request);
    await mkdir(at("data", "runs", "20200101-000000-dead"));
    await writeFile(at("data", "runs", "20200101-000000-dead", "table.csv"), "a\n1\n");
    const going = open(gate.promise).start(request, {
      onEvent: ({ type }) => type === "started" && staging.resolve(),
    });
    await staging.promise;
    await mkdir(at("data", "runs", "20200101-000000-gone"));
    const last = await open().start(request);
    gate.resolve();
    const { id } = await going;
    assert.deepEqual((await readdir(at("data", "runs"))).toSorted(), [first.id, id, last.id].toSorted());
  }));

test("a process that is killed during staging leaves a copy that the next start removes", () =>
  inFolder(async ({ folder, open, request, at }) => {
    const module = (path: string): string => JSON.stringify(pathToFileURL(join(import.meta.dirname, path)).href);
    const script = `
      import { openLocalEngine } from ${module("local-engine.ts")};
      import { openStores } from ${module("../../stores/open-store.ts")};
      import { createTestServices } from ${module("../../../test/fakes/services.ts")};
      const files = openStores({ baseDirectory: ${JSON.stringify(folder)} });
      let reads = 0;
      const read = async function* (uri) {
        yield Buffer.from("a\\n1\\n");
        // The second reading is the one that is copied.
        if (++reads === 2) { console.log("staging"); await new Promise(() => {}); }
      };
      const services = createTestServices({ store: { ...files, read }, invoke: async () => ({}) });
      const engine = openLocalEngine({ services, dataDirectory: ${JSON.stringify(at("data"))} });
      setInterval(() => {}, 1000);
      await engine.start(${JSON.stringify(request)});
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const closed = once(child, "close");
    await once(child.stdout, "data");
    const [left = assert.fail()] = await readdir(at("data", "runs"));
    const engine = open();
    // As long as the process lives, its copy stays.
    const before = await engine.start(request);
    assert.deepEqual((await readdir(at("data", "runs"))).toSorted(), [left, before.id].toSorted());
    child.kill("SIGKILL");
    await closed;
    const after = await engine.start(request);
    assert.deepEqual((await readdir(at("data", "runs"))).toSorted(), [before.id, after.id].toSorted());
  }));
