import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, statSync } from "node:fs";
import { cp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { activitiesPath, openActivityQueue } from "../../src/runs/activity-queue.ts";
import { runCli } from "../../src/cli/run-cli.ts";
import { createRandom } from "../chaos/random.ts";
import { createTestIo } from "../fakes/io.ts";
import { createWorkspace, type Workspace } from "../fakes/workspace.ts";

// `ROWCALL_KILLS=200 npm test -- test/e2e/delete-kills.test.ts` is the long form; a seed repeats its kills.
const kills = Number(process.env["ROWCALL_KILLS"] ?? 12);
const seed = Number(process.env["ROWCALL_SEED"] ?? Date.now() % 1_000_000);
const cli = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
// More than are erased in one transaction.
const rows = 2200;
const kept = 50;
const person = "jane.doe@people.example";
const points = [
  "before it begins",
  "once the run is marked",
  "within the recordings",
  "once the recordings are gone",
  "once the table is gone",
  "within the records",
  "once the records are gone",
  "once the journal is being written anew",
  "once the run is not known any more",
] as const;

/** What stands in a data directory while a process deletes from it, read from outside. */
class Watched {
  readonly #data: string;
  readonly #id: string;
  readonly #journal: DatabaseSync;

  constructor(data: string, id: string) {
    this.#data = data;
    this.#id = id;
    this.#journal = new DatabaseSync(join(data, "journal.db"), { readOnly: true });
  }

  has(point: Point): boolean {
    const recordings = join(this.#data, "recordings", this.#id);
    switch (point) {
      case "before it begins":
        return true;
      case "once the run is marked":
        return this.#run() !== undefined && this.#run()!["deleting"] === 1;
      case "within the recordings":
        return !existsSync(recordings) || readdirSync(recordings).length < rows / 25;
      case "once the recordings are gone":
        return !existsSync(recordings);
      case "once the table is gone":
        return !existsSync(join(this.#data, "runs", this.#id, "table.csv")) && this.#run()?.["deleting"] === 1;
      case "within the records":
        return this.#attempts() < rows;
      case "once the records are gone":
        return this.#attempts() === 0;
      case "once the journal is being written anew":
        return (
          this.#attempts() === 0 && (statSync(join(this.#data, "journal.db-wal")).size > 0 || this.#run() === undefined)
        );
      case "once the run is not known any more":
        return this.#run() === undefined;
    }
  }

  close(): void {
    this.#journal.close();
  }

  #run(): Record<string, unknown> | undefined {
    return this.#journal.prepare("SELECT seq, deleting FROM runs WHERE id = ?").get(this.#id);
  }

  #attempts(): number {
    const { seq } = this.#run() ?? {};
    if (seq === undefined) return 0;
    return Number(
      this.#journal.prepare("SELECT count(*) AS many FROM attempts WHERE run = ?").get(Number(seq))?.["many"],
    );
  }
}

type Point = (typeof points)[number];

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly reason?: string;
}

/** What there is of the other run. */
interface Kept {
  readonly run: Listed;
  readonly rows: string;
  readonly table: string;
  readonly recordings: readonly string[];
}

describe(`rowcall delete that is killed, seed ${seed}`, () => {
  let workspace: Workspace;
  let id: string;
  let keptId: string;
  let whole: { readonly doomed: Listed; readonly kept: Kept };
  const seen = new Map<string, number>();
  const at = (...names: string[]): string => workspace.at(...names);

  const call = async (...args: readonly string[]): Promise<{ code: number; out: string; err: string }> => {
    const io = createTestIo({ workingDirectory: workspace.folder });
    const code = await runCli([...args, "--data-dir", at("data")], io);
    return { code, out: io.out(), err: io.err() };
  };
  const list = async (): Promise<readonly Listed[]> => {
    const { code, out, err } = await call("runs", "--json");
    assert.equal(code, 0, err);
    return JSON.parse(out) as readonly Listed[];
  };
  const named = async (name: string): Promise<Listed> => {
    const run = (await list()).find((one) => one.name === name);
    assert.ok(run !== undefined);
    return run;
  };
  const lookAtKept = async (): Promise<Kept> => {
    const recordings = (await readdir(at("data", "recordings", keptId), { recursive: true })).toSorted();
    const [rows, table] = [await call("rows", "kept", "--json"), await call("export", "kept")];
    return { run: await named("kept"), rows: rows.out, table: table.out, recordings };
  };
  /** Files of the data directory that are of the run, or hold the person. */
  const holding = async (): Promise<readonly string[]> => {
    const found: string[] = [];
    for (const entry of await readdir(at("data"), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (path.includes(id) || (entry.isFile() && (await readFile(path)).includes(person))) found.push(path);
    }
    return found;
  };

  before(async () => {
    workspace = await createWorkspace(kept);
    await workspace.write(
      "keeper.mjs",
      // Out of order, so that pages of the journal are split and leave copies behind.
      `import { setTimeout as wait } from "node:timers/promises";
      export default async ({ who }, { row, artifacts }) => {
        await wait((row * 7) % 11);
        if (row % 25 === 0) await artifacts.save("page.txt", Buffer.from(who), "text/plain");
        return { structured_output: { seen: row % 7 === 0 ? who.repeat(300) : who.repeat(20) } };
      };`,
    );
    await workspace.write("registry/agents/keeper_v1.0.0.json", {
      agent_name: "keeper",
      version: "1.0.0",
      kind: "function",
      config: { module: pathToFileURL(at("keeper.mjs")).href },
      structured_output: { enabled: true, output_fields: ["seen"] },
    });
    const execution_config = { max_concurrency: 20, dedupe: true };
    for (const [name, who, many] of [
      ["kept", "somebody", kept],
      ["doomed", person, rows],
    ] as const) {
      // The run's own record holds the person too.
      const input = `${who}.csv`;
      await workspace.write(input, `who\n${Array.from({ length: many }, (_, row) => `${who} ${row}\n`).join("")}`);
      const batch = { agent: "keeper", input, output: at("data", "results/"), execution_config };
      await workspace.write(`${name}.json`, batch);
      const { code, err } = await call("run", `${name}.json`, "--name", name, "--quiet");
      assert.equal(code, 0, err);
    }
    const doomed = await named("doomed");
    id = doomed.id;
    keptId = (await named("kept")).id;
    const queue = openActivityQueue(activitiesPath(at("data")));
    queue.createActivity("keeper");
    queue.schedule([{ activity: "keeper", key: `${id}/7/2`, input: JSON.stringify(person) }]);
    queue.close();
    whole = { doomed, kept: await lookAtKept() };
    const places = await holding();
    for (const place of ["journal.db", "activities.db", "runs", "recordings", "results"])
      assert.ok(
        places.some((path) => path.startsWith(at("data", place))),
        place,
      );
    await cp(at("data"), at("whole"), { recursive: true });
  });
  after(() => workspace.remove());

  /** Deletes in a process of its own, which is killed. */
  async function killAt(point: Point, laterMs: number): Promise<void> {
    const watched = new Watched(at("data"), id);
    const child = spawn(process.execPath, [cli, "delete", "doomed", "--data-dir", at("data")], { stdio: "ignore" });
    const ended = once(child, "close");
    try {
      while (child.exitCode === null && !watched.has(point)) await wait(1);
      if (laterMs > 0) await Promise.race([ended, wait(laterMs)]);
    } finally {
      watched.close();
      child.kill("SIGKILL");
      await ended;
    }
  }

  const random = createRandom(seed);
  for (let kill = 0; kill < kills; kill += 1) {
    const point = points[kill % points.length]!;
    // A round at the points themselves, then some time after them.
    const laterMs = kill < points.length ? 0 : random.between(0, 80);
    it(`${point}${laterMs === 0 ? "" : ` and ${laterMs} ms`}: is told of, and ended by the next`, async (t) => {
      await rm(at("data"), { recursive: true });
      await cp(at("whole"), at("data"), { recursive: true });
      await killAt(point, laterMs);

      const doomed = (await list()).find(({ name }) => name === "doomed");
      const state = doomed === undefined ? "gone" : doomed.status === "interrupted" ? "begun" : "whole";
      seen.set(state, (seen.get(state) ?? 0) + 1);
      t.diagnostic(`${state}, ${(await holding()).length} files`);
      if (state === "gone") assert.deepEqual(await holding(), [], "what is not listed is not there");
      if (state === "whole") assert.deepEqual(doomed, whole.doomed);
      if (state === "begun") {
        assert.equal(doomed?.reason, `Its deletion has begun: \`rowcall delete ${id}\` ends it`);
        assert.match((await call("runs")).out, /doomed +interrupted: Its deletion has begun/);
        const { code, err } = await call("rows", "doomed");
        assert.equal(code, 2);
        assert.match(err, new RegExp(`deleted in part.*\nhint: .*rowcall delete ${id}`));
      }
      assert.deepEqual(await lookAtKept(), whole.kept);

      const { code, err } = await call("delete", "doomed");
      assert.equal(code, state === "gone" ? 2 : 0, err);
      assert.deepEqual(await holding(), []);
      assert.deepEqual(await list(), [whole.kept.run]);
      assert.deepEqual(await lookAtKept(), whole.kept);
    });
  }

  it("was met in the middle", () => assert.ok((seen.get("begun") ?? 0) > 0, JSON.stringify([...seen])));
});
