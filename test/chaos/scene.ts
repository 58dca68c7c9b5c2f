import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { compareTable, inputTable, type TableFaults } from "./table.ts";

const launcher = fileURLToPath(new URL("../../bin/rowcall.js", import.meta.url));
const waitLimitMs = 240_000;

// Every call leaves a line in a log of the agent's own: what ran is told by the agent, not by the journal under test.
const agentModule = `
import { appendFileSync, existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
const { AGENT_LOG, AGENT_REPAIRED, AGENT_MS } = process.env;
export default async ({ n }) => {
  appendFileSync(AGENT_LOG, n + "\\n");
  if (AGENT_MS !== "0") await wait(1 + (Number(n) * 7) % Number(AGENT_MS));
  if (Number(n) % 3 === 1 && !existsSync(AGENT_REPAIRED)) throw new Error("no luck with " + n);
  return { structured_output: { double: Number(n) * 2 } };
};
`;

/** A process of Rowcall, and what it has written. */
export interface Started {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  readonly closed: Promise<unknown>;
}

/** What one process, or several at once, did until it was killed or ended. */
export interface Life {
  /** Whether it was killed; else it had ended before. */
  readonly killed: boolean;
  /** Calls of rows that were decided before it began. */
  readonly again: number;
  /** Calls whose answer was not in the journal at its end. */
  readonly surplus: number;
}

/** What a scene is made of. */
export interface SceneOptions {
  readonly rows: number;
  readonly concurrency: number;
  /** Bytes of a row at least, so that files take time. @default 0 */
  readonly width?: number;
  /** Milliseconds that a call takes at most; 0 answers at once. @default 8 */
  readonly callMs?: number;
}

/** A folder with a table, a batch, an agent and one run, and what can be seen of them from outside. */
export class Scene {
  readonly folder: string;
  readonly rows: number;
  readonly concurrency: number;
  readonly #width: number;
  readonly #callMs: number;
  readonly #input: string;

  private constructor(folder: string, { rows, concurrency, width = 0, callMs = 8 }: SceneOptions) {
    this.folder = folder;
    this.rows = rows;
    this.concurrency = concurrency;
    this.#width = width;
    this.#callMs = callMs;
    this.#input = inputTable(rows, width);
  }

  static async open(options: SceneOptions): Promise<Scene> {
    const scene = new Scene(await mkdtemp(join(tmpdir(), "rowcall-chaos-")), options);
    await mkdir(scene.at("registry", "agents"), { recursive: true });
    await mkdir(scene.at("out"));
    await writeFile(scene.at("agent.mjs"), agentModule);
    await writeFile(scene.at("calls.log"), "");
    await writeFile(scene.at("in.csv"), scene.#input);
    const agent = {
      agent_name: "doubler",
      version: "1.0.0",
      kind: "function",
      config: { module: pathToFileURL(scene.at("agent.mjs")).href },
      structured_output: { enabled: true, output_fields: ["double"] },
    };
    await writeFile(scene.at("registry", "agents", "doubler_v1.0.0.json"), JSON.stringify(agent));
    await writeFile(scene.at("batch.json"), JSON.stringify(scene.batch));
    return scene;
  }

  get batch(): object {
    return {
      agent_name: "doubler",
      input: this.at("in.csv"),
      output: this.at("out", "table.csv"),
      execution_config: { max_concurrency: this.concurrency, retry_strategy: { max_attempts: 0 } },
    };
  }

  at(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  close(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  /** From now on the agent fails at no row. */
  repair(): Promise<void> {
    return writeFile(this.at("repaired"), "");
  }

  start(...args: readonly string[]): Started {
    const child = spawn(process.execPath, [launcher, ...args], {
      cwd: this.folder,
      env: {
        ...process.env,
        AGENT_LOG: this.at("calls.log"),
        AGENT_REPAIRED: this.at("repaired"),
        AGENT_MS: String(this.#callMs),
        ROWCALL_DATA_DIR: this.at("data"),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
    return { child, output, closed: once(child, "close") };
  }

  /** Runs a command to its end. */
  async finish(
    ...args: readonly string[]
  ): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
    const { child, output, closed } = this.start(...args);
    await waitFor(() => hasEnded(child), `rowcall ${args.join(" ")} to end`).finally(() => child.kill("SIGKILL"));
    await closed;
    return { code: child.exitCode, ...output };
  }

  /**
   * Starts processes and kills them at a moment.
   *
   * @param start - starts them
   * @param moment - whether to kill now
   * @param isRerun - whether failed rows are called again rightly
   */
  async live(
    start: () => readonly Started[] | Promise<readonly Started[]>,
    moment: () => boolean,
    isRerun = false,
  ): Promise<Life> {
    const decided = this.decided(isRerun);
    const calls = this.calls().length;
    const started = await start();
    const allEnded = (): boolean => started.every(({ child }) => hasEnded(child));
    await waitFor(() => moment() || allEnded(), "the moment of a kill").finally(() => {
      for (const { child } of started) child.kill("SIGKILL");
    });
    await Promise.all(started.map(({ closed }) => closed));
    const made = this.calls().slice(calls);
    const kept = new Set(this.decided());
    return {
      killed: started.some(({ child }) => child.signalCode === "SIGKILL"),
      again: made.filter((n) => decided.has(n)).length,
      surplus: made.length - new Set(made).intersection(kept).difference(decided).size,
    };
  }

  /** Rows that the agent was called for, in the order of the calls. */
  calls(): readonly number[] {
    return readFileSync(this.at("calls.log"), "utf8").split("\n").slice(0, -1).map(Number);
  }

  /** How many calls there were, without reading them. */
  callBytes(): number {
    return statSync(this.at("calls.log")).size;
  }

  /** Rows that the journal, read with plain SQLite, has an answer for. */
  decided(onlySucceeded = false): ReadonlySet<number> {
    const sql = `SELECT row FROM attempts WHERE standing = 2${onlySucceeded ? " AND code IS NULL" : ""}`;
    return new Set(this.#query(sql).map(({ row }) => Number(row)));
  }

  /** How many rows the journal has an answer for. */
  decidedCount(): number {
    return Number(this.#query("SELECT count(*) AS n FROM attempts WHERE standing = 2")[0]?.["n"] ?? 0);
  }

  /** How the run stands, as the journal has it. */
  status(): string | undefined {
    return this.#query("SELECT status FROM runs").at(-1)?.["status"] as string | undefined;
  }

  /** The size of the staged copy that is written now or was last. */
  stagedSize(): number {
    const copies = this.stagedCopies();
    return Math.max(0, ...copies.map((path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0));
  }

  /** The size of the temporary file that a table is written to, if there is one. */
  writtenSize(): number | undefined {
    const [name] = readdirSync(this.at("out")).filter((file) => file.endsWith(".tmp"));
    return name === undefined ? undefined : statSync(this.at("out", name), { throwIfNoEntry: false })?.size;
  }

  /** Removes temporary files of processes that were killed, so that the next one can be told from them. */
  async clearTemporary(): Promise<void> {
    for (const name of readdirSync(this.at("out")).filter((file) => file.endsWith(".tmp")))
      await rm(this.at("out", name));
  }

  /** @throws AssertionError when a staged copy that the journal knows differs from the input by a byte */
  assertStaged(): void {
    const runs = this.#query("SELECT id FROM runs").map(({ id }) => String(id));
    for (const path of this.stagedCopies().filter((copy) => runs.some((id) => copy.includes(id))))
      assert.ok(readFileSync(path, "utf8") === this.#input, `${path} is not the input`);
  }

  /** What is wrong with a table in `out/`. */
  compare(name = "table.csv"): TableFaults {
    const path = this.at("out", name);
    if (!existsSync(path)) return { lost: this.rows, doubled: 0, disordered: 0 };
    const fails = (n: number): boolean => n % 3 === 1 && !existsSync(this.at("repaired"));
    return compareTable(readFileSync(path, "utf8"), { rows: this.rows, width: this.#width }, fails);
  }

  /** Copies of the input in the folders of runs. */
  stagedCopies(): readonly string[] {
    const runs = this.at("data", "runs");
    if (!existsSync(runs)) return [];
    return readdirSync(runs)
      .map((id) => join(runs, id, "table.csv"))
      .filter((path) => existsSync(path));
  }

  #query(sql: string): readonly Record<string, unknown>[] {
    const path = this.at("data", "journal.db");
    if (!existsSync(path)) return [];
    const database = new DatabaseSync(path, { timeout: 10_000 });
    try {
      const tables = database.prepare("SELECT count(*) AS n FROM sqlite_master WHERE name = 'attempts'").get();
      return tables?.["n"] === 0 ? [] : database.prepare(sql).all();
    } finally {
      database.close();
    }
  }
}

/** Whether a process is over, however it ended. */
export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Waits for something; looks every millisecond, since a moment is over soon. */
export async function waitFor(isSo: () => boolean, what: string): Promise<void> {
  const limit = performance.now() + waitLimitMs;
  while (!isSo()) {
    if (performance.now() > limit) throw new Error(`Waited in vain for ${what}`);
    await wait(1);
  }
}
