import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { parseBatch } from "../../core/batch-file.ts";
import type { Engine } from "../../core/engine.ts";
import { openStores } from "../../stores/open-store.ts";
import { createTestServices } from "../../../test/fakes/services.ts";
import { openLocalEngine } from "./local-engine.ts";
import { tryLock } from "../../runs/sqlite.ts";

interface Bench {
  readonly engine: Engine;
  /** Id of a run that was interrupted after its first row. */
  readonly id: string;
  /** Another run, which has ended. */
  readonly other: string;
  /** How often the agent was called. */
  calls(): number;
  at(...names: string[]): string;
}

async function withInterruptedRun(work: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-damaged-"));
  const at = (...names: string[]): string => join(folder, ...names);
  await writeFile(at("in.csv"), "a\n1\n2\n3\n");
  let calls = 0;
  let onRow = (): void => {};
  const invoke = async (): Promise<never> => {
    calls += 1;
    onRow();
    return { structured_output: { field: 1 } } as never;
  };
  const services = createTestServices({ store: openStores({ baseDirectory: folder }), invoke });
  const engine = openLocalEngine({ services, dataDirectory: at("data") });
  const batch = parseBatch(
    { agent_name: "echo", input: "in.csv", output: "out/", execution_config: { max_concurrency: 1 } },
    "test",
  );
  try {
    const other = await engine.start({ batch });
    const drain = new AbortController();
    onRow = () => drain.abort();
    const { id } = await engine.start({ batch }, { drain: drain.signal });
    onRow = () => {};
    await work({ engine, id, other: other.id, calls: () => calls, at });
  } finally {
    await engine.close();
    await rm(folder, { recursive: true });
  }
}

const damages: Readonly<Record<string, (folder: string) => Promise<void>>> = {
  "cut to nothing": (folder) => truncate(join(folder, "table.csv")),
  smashed: (folder) => writeFile(join(folder, "table.csv"), "a\n9\n9\n9\n"),
  "without its index": (folder) => rm(join(folder, "table.index")),
  "with a smashed index": (folder) => writeFile(join(folder, "table.index"), Buffer.alloc(48, 7)),
  "gone with its folder": (folder) => rm(folder, { recursive: true }),
};

for (const [what, damage] of Object.entries(damages)) {
  test(`nothing is written from a copy that is ${what}: without the input it is told what can be done`, () =>
    withInterruptedRun(async ({ engine, id, other, calls, at }) => {
      await damage(at("data", "runs", id));
      await rm(at("in.csv"));
      const spent = calls();
      const exporting = (): Promise<unknown> => engine.export(id, { output: "again.csv", format: "csv" });
      for (const work of [() => engine.resume(id), exporting]) {
        await assert.rejects(work, {
          code: "RUN_DAMAGED",
          message: new RegExp(`run ${id} .* is damaged: .*table\\.(csv|index)`),
          hint: /rowcall show .*in\.csv back/,
        });
      }
      assert.equal(calls(), spent);
      assert.deepEqual(
        (await engine.list()).map((run) => [run.id, run.status]),
        [
          [id, "interrupted"],
          [other, "succeeded"],
        ],
      );
      assert.equal((await engine.export(other, { output: "other.csv", format: "csv" })).uri, "other.csv");
    }));

  test(`a copy that is ${what} is made anew from an input that is the same`, () =>
    withInterruptedRun(async ({ engine, id, calls, at }) => {
      await damage(at("data", "runs", id));
      const spent = calls();
      await engine.export(id, { output: "before.csv", format: "csv" });
      assert.match(await readFile(at("before.csv"), "utf8"), /^a,field,.*\n1,1,.*SUCCESS.*\n2,,.*PENDING.*\n3,/);
      await damage(at("data", "runs", id));
      const { status, counts, outputUri } = await engine.resume(id);
      assert.deepEqual([status, counts.succeeded, calls() - spent], ["succeeded", 3, 2]);
      assert.match(await readFile(at(outputUri ?? ""), "utf8"), /\n1,1,.*\n2,1,.*\n3,1,/);
    }));
}

test("a lock that cannot be taken is not a run that somebody runs, and a damaged one is made anew", () =>
  withInterruptedRun(async ({ engine, id, at }) => {
    assert.throws(() => tryLock(at("data")), { code: "JOURNAL_UNREADABLE", message: /cannot be taken/ });
    await writeFile(at("data", "runs", id, "lock.db"), Buffer.alloc(5000, "xyz"));
    assert.equal((await engine.describe(id)).status, "interrupted");
    assert.equal((await engine.resume(id)).status, "succeeded");
  }));

test("the database of another program is told and left as it is", () =>
  withInterruptedRun(async ({ at }) => {
    const services = createTestServices({ store: openStores({ baseDirectory: at() }), invoke: async () => ({}) });
    for (const version of [0, 2]) {
      await rm(at("foreign"), { recursive: true, force: true });
      await mkdir(at("foreign"));
      const database = new DatabaseSync(at("foreign", "journal.db"));
      database.exec(`CREATE TABLE songs (title TEXT); PRAGMA user_version = ${version}`);
      assert.throws(() => openLocalEngine({ services, dataDirectory: at("foreign") }), {
        code: "JOURNAL_UNREADABLE",
        hint: /--data-dir/,
      });
      assert.deepEqual(
        database
          .prepare("SELECT name FROM sqlite_schema")
          .all()
          .map(({ name }) => name),
        ["songs"],
      );
      database.close();
    }
  }));
