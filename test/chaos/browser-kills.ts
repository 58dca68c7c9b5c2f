// Kills and freezes the processes of browsers while runs use them: whether every row still comes out once and right, no run hangs,
// and nothing is left behind.
// Usage: node test/chaos/browser-kills.ts [--kills 200] [--seed 1] [--kills-per-run 40]
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { parse } from "csv-parse/sync";
import { listProcesses, type ProcessFacts } from "../../src/agents/process-group.ts";
import { loadBatch } from "../../src/runs/load-batch.ts";
import { openEngine, wire } from "../../src/app/wire.ts";

/** What is killed, and how often. */
export interface KillsOptions {
  /** Kills and freezes in all runs together. */
  readonly kills: number;
  readonly seed: number;
  /** Then a run is left alone to its end. */
  readonly killsPerRun: number;
  /** Of each run. @default 60 */
  readonly rows?: number;
  /** Told of each run as it ends. */
  onRun?(run: KilledRun): void;
}

/** One run and what was done to its browsers. */
export interface KilledRun {
  readonly run: number;
  /** How often each kind of process was killed, frozen for a while, or frozen for good. */
  readonly done: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly succeeded: number;
  /** Codes of the rows that failed after all their attempts. */
  readonly failed: readonly string[];
  readonly attempts: number;
  /** What must not be: rows lost, doubled, out of order or wrong; processes and folders that are left. */
  readonly faults: readonly string[];
}

const usualRows = 60;
const hungSeconds = 400;

/** Runs tables through the local engine, and kills browsers under it. */
export async function killBrowsers({
  kills,
  seed,
  killsPerRun,
  rows = usualRows,
  onRun,
}: KillsOptions): Promise<readonly KilledRun[]> {
  const random = seeded(seed);
  const folder = await mkdtemp(join(tmpdir(), "rowcall-browser-kills-"));
  const site = await startSite();
  const usual = process.env["TMPDIR"];
  try {
    process.env["TMPDIR"] = join(folder, "tmp");
    await mkdir(process.env["TMPDIR"]);
    await publish(join(folder, "registry"), site.origin);
    const ended: KilledRun[] = [];
    let left = kills;
    while (left > 0) {
      const run = await runUnderFire(
        folder,
        { run: ended.length + 1, rows, kills: Math.min(left, killsPerRun) },
        random,
      );
      left -= Object.values(run.done).reduce((sum, count) => sum + count, 0);
      ended.push(run);
      onRun?.(run);
    }
    return ended;
  } finally {
    if (usual === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = usual;
    await site.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function runUnderFire(
  folder: string,
  { run, rows, kills }: { readonly run: number; readonly rows: number; readonly kills: number },
  random: () => number,
): Promise<KilledRun> {
  const startedAt = performance.now();
  const at = (...names: string[]): string => join(folder, ...names);
  await writeFile(at("in.csv"), `n\n${Array.from({ length: rows }, (_, row) => `${row}\n`).join("")}`);
  const batch = {
    agent_name: "asker",
    input: at("in.csv"),
    output: at(`out-${run}.csv`),
    execution_config: {
      max_concurrency: 4,
      timeout_seconds: 90,
      retry_strategy: { max_attempts: 60, interval_seconds: 0 },
    },
    recording: { level: run % 2 === 0 ? "none" : "screenshot" },
  };
  await writeFile(at("batch.json"), JSON.stringify(batch));
  const wiring = wire({
    env: { ...process.env, ROWCALL_REGISTRY: at("registry") },
    workingDirectory: folder,
    dataDirectory: at("data"),
  });
  const engine = await openEngine(wiring);
  const over = new AbortController();
  const faults: string[] = [];
  let attempts = 0;
  const firing = fire(kills, random, over.signal);
  const working = (async () => {
    const loaded = await loadBatch(wiring.services, at("batch.json"), {});
    const onEvent = (event: { readonly type: string }): void => void (attempts += event.type === "attempt" ? 1 : 0);
    await engine.start({ batch: loaded }, { onEvent });
  })();
  try {
    await Promise.race([working, failAfter(hungSeconds, over.signal)]);
  } catch (thrown) {
    faults.push(String(thrown));
  } finally {
    over.abort();
  }
  const done = await firing;
  await engine.close();
  const table = await readFile(at(`out-${run}.csv`), "utf8").catch(() => "");
  const { succeeded, failed, wrong } = judge(table, rows);
  const left = [
    ...(await browsers()).map(({ pid, command }) => `process ${pid} is left: ${command.slice(0, 100)}`),
    ...(await readdir(at("tmp"))).map((name) => `${name} is left in the temporary folder`),
  ];
  faults.push(...wrong, ...left);
  return { run, done, seconds: (performance.now() - startedAt) / 1000, succeeded, failed, attempts, faults };
}

/** Kills and freezes until it has done enough or the run is over. */
async function fire(kills: number, random: () => number, over: AbortSignal): Promise<Record<string, number>> {
  const done: Record<string, number> = {};
  const thaws: Promise<unknown>[] = [];
  for (let count = 0; count < kills && !over.aborted;) {
    await delay(50 + random() * 600, undefined, { signal: over }).catch(() => undefined);
    const all = await browsers();
    const kinds = [...new Set(all.map(kindOf))].toSorted();
    const kind = kinds[Math.floor(random() * kinds.length)];
    const chosen = all.filter((each) => kindOf(each) === kind);
    const victim = chosen[Math.floor(random() * chosen.length)];
    const dice = random();
    if (over.aborted || victim === undefined) continue;
    const how = dice < 0.65 ? "killed" : dice < 0.98 ? "frozen" : "frozen for good";
    if (!signal(victim.pid, how === "killed" ? "SIGKILL" : "SIGSTOP")) continue;
    if (how === "frozen") {
      const thaw = delay(300 + random() * 3000, undefined, { signal: over }).catch(() => undefined);
      thaws.push(thaw.then(() => signal(victim.pid, "SIGCONT")));
    }
    done[`${kind} ${how}`] = (done[`${kind} ${how}`] ?? 0) + 1;
    count += 1;
  }
  await Promise.all(thaws);
  return done;
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

const groups = new Set<number>();

/** The processes of all browsers that this process has started, those whose main process is dead among them. */
async function browsers(): Promise<readonly ProcessFacts[]> {
  const all = await listProcesses();
  for (const { pid, parent, command } of all)
    if (parent === process.pid && command.includes("--crash-dumps-dir=")) groups.add(pid);
  return all.filter(({ group }) => groups.has(group));
}

function kindOf({ command }: ProcessFacts): string {
  return /--type=(\S+)/.exec(command)?.[1] ?? "browser";
}

function judge(table: string, rows: number): { succeeded: number; failed: string[]; wrong: string[] } {
  const records = parse<Record<string, string>>(table, { columns: true });
  const wrong: string[] = [];
  if (records.length !== rows) wrong.push(`${records.length} rows came out of ${rows}`);
  let succeeded = 0;
  const failed: string[] = [];
  for (const [row, record] of records.entries()) {
    const { n = "", answer = "", _status: status = "", _error_message: error = "" } = record;
    if (n !== String(row)) wrong.push(`row ${row} is ${n}`);
    if (status !== "SUCCESS") {
      failed.push(error);
      if (answer !== "") wrong.push(`row ${row} failed and has answer ${answer}`);
    } else {
      succeeded += 1;
      if (answer !== answerTo(row)) wrong.push(`row ${row} has answer "${answer}"`);
    }
  }
  return { succeeded, failed, wrong };
}

function answerTo(row: number): string {
  return `answer ${row * 7 + 1}`;
}

async function publish(registry: string, origin: string): Promise<void> {
  const template = {
    template_id: "ask",
    version: "1.0.0",
    starting_page: `${origin}/ask?n={{n}}`,
    steps: [
      { action: "click", locator: { role: "link", name: "Ask" } },
      { action: "extract", fields: { answer: { locator: { css: "#answer" } } } },
    ],
  };
  const agent = {
    agent_name: "asker",
    version: "1.0.0",
    kind: "browser",
    config: { template: "ask@1.0.0" },
    structured_output: { enabled: true, output_fields: ["answer"] },
  };
  await mkdir(join(registry, "agents"), { recursive: true });
  await mkdir(join(registry, "templates"), { recursive: true });
  await writeFile(join(registry, "agents", "asker_v1.0.0.json"), JSON.stringify(agent));
  await writeFile(join(registry, "templates", "ask_v1.0.0.json"), JSON.stringify(template));
}

async function startSite(): Promise<{ readonly origin: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
    const n = Number(searchParams.get("n"));
    const body =
      pathname === "/ask"
        ? `<h1>Question</h1><a href="/answer?n=${n}">Ask</a>`
        : `<h1>Answer</h1><p id=answer>${answerTo(n)}</p>`;
    setTimeout(() => response.setHeader("content-type", "text/html").end(body), (n * 37) % 300);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function failAfter(seconds: number, over: AbortSignal): Promise<never> {
  await delay(seconds * 1000, undefined, { signal: over });
  throw new Error(`The run hangs: it has not ended within ${seconds} s`);
}

/** Numbers in [0, 1) that are the same for the same seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      kills: { type: "string", default: "200" },
      seed: { type: "string", default: "1" },
      "kills-per-run": { type: "string", default: "40" },
    },
  });
  const total: Record<string, number> = {};
  const ended = await killBrowsers({
    kills: Number(values.kills),
    seed: Number(values.seed),
    killsPerRun: Number(values["kills-per-run"]),
    onRun: ({ run, done, seconds, succeeded, failed, attempts, faults }) => {
      for (const [what, count] of Object.entries(done)) total[what] = (total[what] ?? 0) + count;
      const many = Object.values(done).reduce((sum, count) => sum + count, 0);
      console.log(
        `run ${run}: ${many} kills and freezes, ${seconds.toFixed(1)} s, ${succeeded} rows succeeded, ${failed.length} failed, ${attempts} attempts`,
      );
      for (const line of [...new Set(failed), ...faults]) console.log(`  ${line}`);
    },
  });
  console.table(total);
  const faults = ended.flatMap((run) => run.faults);
  console.log(`${ended.length} runs of ${usualRows} rows, ${faults.length} faults`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
