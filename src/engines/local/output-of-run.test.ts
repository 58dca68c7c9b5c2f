import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { parseBatch } from "../../core/batch-file.ts";
import type { Engine, StartRequest } from "../../core/engine.ts";
import { openStores } from "../../stores/open-store.ts";
import { createTestServices } from "../../../test/fakes/services.ts";
import { openLocalEngine } from "./local-engine.ts";

interface Bench {
  readonly folder: string;
  readonly engine: Engine;
  /** Rows that the agent was called for in this process. */
  readonly called: readonly string[];
  /** Called by the agent before each row. */
  onRow: () => void;
  at(...names: string[]): string;
  read(name: string): Promise<string>;
  request(output: string): StartRequest;
}

async function withEngine(work: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-output-"));
  const at = (...names: string[]): string => join(folder, ...names);
  const called: string[] = [];
  await writeFile(at("in.csv"), "a\n1\n2\n3\n");
  const bench: Bench = {
    folder,
    engine: openLocalEngine({
      services: createTestServices({
        store: openStores({ baseDirectory: folder }),
        invoke: async (input) => {
          bench.onRow();
          called.push(String(input["a"]));
          return { structured_output: { field: 1 } };
        },
      }),
      dataDirectory: at("data"),
    }),
    called,
    onRow: () => {},
    at,
    read: (name) => readFile(at(name), "utf8"),
    request: (output) => ({
      batch: parseBatch(
        { agent_name: "echo", input: "in.csv", output, execution_config: { max_concurrency: 1 } },
        "test",
      ),
    }),
  };
  try {
    await work(bench);
  } finally {
    await bench.engine.close();
    await rm(folder, { recursive: true });
  }
}

/** Starts a run in a process that is killed when the table has appeared, before it can note that. */
async function startAndKill({ folder, request }: Bench, output: string): Promise<void> {
  const module = (path: string): string => JSON.stringify(pathToFileURL(join(import.meta.dirname, path)).href);
  const child = spawn(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `
      import { openLocalEngine } from ${module("local-engine.ts")};
      import { openStores } from ${module("../../stores/open-store.ts")};
      import { createTestServices } from ${module("../../../test/fakes/services.ts")};
      const files = openStores({ baseDirectory: ${JSON.stringify(folder)} });
      const write = async (uri, content, options) => {
        const info = await files.write(uri, content, options);
        if (uri.endsWith(".csv")) process.kill(process.pid, "SIGKILL");
        return info;
      };
      const invoke = async () => ({ structured_output: { field: 1 } });
      const services = createTestServices({ store: { ...files, write }, invoke });
      const engine = openLocalEngine({ services, dataDirectory: ${JSON.stringify(join(folder, "data"))} });
      await engine.start(${JSON.stringify({ ...request(output), name: "killed" })});
      `,
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  const [, signal] = (await once(child, "close")) as [number | null, string | null];
  assert.equal(signal, "SIGKILL");
}

test("a run that was killed when its table had appeared knows the table as its own", () =>
  withEngine(async (bench) => {
    const { engine } = bench;
    await startAndKill(bench, "out.csv");
    assert.match(await bench.read("out.csv"), /^a,field,/);
    assert.equal((await engine.describe("killed")).status, "interrupted");
    const { status, outputUri } = await engine.resume("killed");
    assert.deepEqual([status, outputUri, bench.called], ["succeeded", "out.csv", []]);
  }));

test("a table that was written before a kill under a prefix is written again under the same name", () =>
  withEngine(async (bench) => {
    await startAndKill(bench, "out/");
    const before = await readdir(bench.at("out"));
    assert.equal(before.length, 1);
    const { status, outputUri } = await bench.engine.resume("killed");
    assert.deepEqual([status, outputUri], ["succeeded", `out/${before[0]}`]);
    assert.deepEqual(await readdir(bench.at("out")), before);
  }));

test("what may be replaced at the start may be replaced by the resumed run", () =>
  withEngine(async (bench) => {
    await writeFile(bench.at("out.csv"), "old");
    const drain = new AbortController();
    bench.onRow = () => drain.abort();
    const begun = await bench.engine.start({ ...bench.request("out.csv"), force: true }, { drain: drain.signal });
    assert.deepEqual([begun.status, await bench.read("out.csv")], ["interrupted", "old"]);
    const { status, counts } = await bench.engine.resume(begun.id);
    assert.deepEqual([status, counts.succeeded, bench.called.length], ["succeeded", 3, 3]);
    assert.match(await bench.read("out.csv"), /^a,field,/);
  }));

for (const command of ["resume", "rerun"] as const) {
  test(`an output that somebody else has written meanwhile ends a ${command} before rows are spent, with what can be done`, () =>
    withEngine(async (bench) => {
      const { engine, called } = bench;
      await assert.rejects(startWithForeignFile(bench), { code: "OUTPUT_EXISTS", hint: /rowcall resume/ });
      const [{ id } = assert.fail()] = await engine.list();
      const spent = called.length;
      await assert.rejects(engine[command](id), (error: { code: string; hint: string }) => {
        assert.equal(error.code, "OUTPUT_EXISTS");
        assert.ok(error.hint.includes(`rowcall resume ${id}`) && !error.hint.includes("--force"), error.hint);
        return true;
      });
      assert.deepEqual([called.length, await bench.read("out.csv")], [spent, "somebody else's"]);
      await rm(bench.at("out.csv"));
      assert.equal((await engine.resume(id)).status, "succeeded");
      assert.equal(called.length, 3);
    }));
}

async function startWithForeignFile(bench: Bench): Promise<void> {
  const started = Promise.withResolvers<void>();
  bench.onRow = () => started.resolve();
  const running = bench.engine.start(bench.request("out.csv"));
  await started.promise;
  await writeFile(bench.at("out.csv"), "somebody else's");
  await running;
}
