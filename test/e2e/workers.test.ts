import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { siteData, type Expectation } from "../../examples/broadband/site/data.ts";
import { startSite, type Site } from "../../examples/broadband/site/server.ts";
import type { ActivityQueue } from "../../src/core/activity.ts";
import type { AttemptTask } from "../../src/attempt/attempt-answer.ts";
import type { Attempt } from "../../src/core/attempt.ts";
import type { RowReport } from "../../src/core/engine.ts";
import { activitiesPath, openActivityQueue } from "../../src/runs/activity-queue.ts";
import type { EndpointKeys } from "../../src/server/stepfunctions/signature.ts";
import { createWorkspace, type Workspace } from "../fakes/workspace.ts";
import { startWorkerProcess, type WorkerLine, type WorkerProcess } from "../fakes/worker-process.ts";

const rows = 60;
// Long enough that a busy machine does not silence a worker that is well.
const heartbeatSeconds = 20;
const agent = "broadband-availability-bt-wholesale";
const pathOf = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Addresses that the replica answers well and at once, over and over. */
function expectedRows(): readonly Expectation[] {
  const plain = siteData.expectations.filter(({ input, expected }) => {
    const behaviour = siteData.postcodes[input.postcode];
    return expected.status === "SUCCESS" && behaviour?.failure === undefined && behaviour?.delayMs === undefined;
  });
  return Array.from({ length: rows }, (_, row) => plain[row % plain.length]!);
}

function rowcall(folder: string, ...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [pathOf("src/cli/main.ts"), ...args, "--data-dir", join(folder, "data")], {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: folder,
  });
}

async function end(child: ChildProcess): Promise<{ readonly code: number | null; readonly out: string }> {
  const [out, [code]] = await Promise.all([text(child.stdout!), once(child, "close") as Promise<[number | null]>]);
  return { code, out };
}

/** What `rowcall serve --json` says once it answers. */
async function firstLine(
  endpoint: ChildProcess,
): Promise<EndpointKeys & { readonly url: string; readonly activities: string[] }> {
  const [line] = (await once(createInterface(endpoint.stdout!), "line")) as [string];
  return JSON.parse(line) as EndpointKeys & { url: string; activities: string[] };
}

async function rowsOf(folder: string): Promise<RowReport[]> {
  const { out } = await end(rowcall(folder, "rows", "last", "--json"));
  return out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as RowReport);
}

const isLost = ({ outcome }: Attempt): boolean => outcome.status === "failed" && outcome.code === "WORKER_LOST";

describe("sixty rows at three workers, of which one is killed and one frozen for a while", () => {
  const expected = expectedRows();
  let folder: string;
  let site: Site;
  let queue: ActivityQueue;
  let endpoint: ChildProcess;
  let url: string;
  let run: { readonly code: number | null; readonly out: string };
  let reports: readonly RowReport[];
  let workers: readonly WorkerProcess[];
  let exits: readonly (number | null)[];
  const [killed, frozen, steady] = ["killed", "frozen", "steady"] as const;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "rowcall workers "));
    // An answer takes long enough that a worker always has rows under way.
    site = await startSite({ latencyMs: 300 });
    await writeFile(
      join(folder, "rows.csv"),
      stringify(
        expected.map(({ input }) => input),
        { header: true },
      ),
    );
    const batch = JSON.parse(await readFile(pathOf("examples/broadband/batch.json"), "utf8")) as object;
    await writeFile(
      join(folder, "batch.json"),
      JSON.stringify({
        ...batch,
        agent_config: { variables: { checker_url: new URL("public/", site.url).href } },
        execution_config: {
          dispatch: "activity",
          heartbeat_seconds: heartbeatSeconds,
          max_concurrency: 8,
          timeout_seconds: 60,
          retry_strategy: { max_attempts: 0 },
        },
      }),
    );
    await mkdir(join(folder, "data"));
    queue = openActivityQueue(activitiesPath(join(folder, "data")));
    queue.createActivity(agent);
    endpoint = rowcall(folder, "serve", "--aws-endpoint", "--port", "0", "--json");
    let activities: readonly string[];
    let keys: EndpointKeys;
    ({ url, activities, ...keys } = await firstLine(endpoint));
    workers = [killed, frozen, steady].map((name) =>
      startWorkerProcess(name, { url, keys }, activities[0] ?? "", "--concurrency", "2"),
    );
    await Promise.all(workers.map(({ told }) => told((lines) => lines.some(({ type }) => type === "started"))));
    const running = end(rowcall(folder, "run", "batch.json", "--input", "rows.csv", "--output", "out.csv", "--quiet"));
    await disturb();
    run = await running;
    reports = await rowsOf(folder);
    await worker(frozen).told((lines) => lines.some(({ type }) => type === "dropped"));
    for (const { child } of workers) child.kill("SIGTERM");
    exits = await Promise.all(workers.map(({ ended }) => ended));
  });
  after(async () => {
    for (const { child } of workers) child.kill("SIGKILL");
    endpoint.kill("SIGKILL");
    queue.close();
    await site.close();
    await rm(folder, { recursive: true, force: true });
  });

  const worker = (name: string): WorkerProcess => workers.find((one) => one.name === name)!;

  async function disturb(): Promise<void> {
    const [, stopped] = await Promise.all([
      stopInARow(killed).then(() => worker(killed).child.kill("SIGKILL")),
      stopInARow(frozen),
    ]);
    // Until what it had is somebody else's.
    const { runId, row, attempt } = stopped;
    while (queue.find(`${runId}/${row}/${attempt + 1}`) === undefined) await wait(20);
    worker(frozen).child.kill("SIGCONT");
  }

  /** Stops a worker that has begun its third row or a later one, in the middle of it. */
  async function stopInARow(name: string): Promise<WorkerLine> {
    const { lines, child, told } = worker(name);
    for (;;) {
      const before = lines.length;
      await told(() => lines.length > before && lines.filter(({ type }) => type === "taken").length >= 3);
      child.kill("SIGSTOP");
      // What it had sent before has been dealt with once the endpoint has answered what came later.
      for (let asked = 0; asked < 5; asked += 1) await fetch(url);
      const held = lines.find(({ type, ...line }) => type === "taken" && isHeld(name, line));
      if (held !== undefined) return held;
      child.kill("SIGCONT");
    }
  }

  function isHeld(name: string, { runId, row, attempt }: Omit<WorkerLine, "type">): boolean {
    const state = queue.find(`${runId}/${row}/${attempt}`);
    return state?.worker === name && state.end === undefined;
  }

  it("finishes well", () => {
    assert.equal(run.code, 0);
    assert.equal(reports.length, rows);
  });

  it("has every row once and right", async () => {
    const table = parse<Record<string, string>>(await readFile(join(folder, "out.csv")), { columns: true });
    assert.equal(table.length, rows);
    for (const [row, { input, expected: wanted }] of expected.entries()) {
      assert.ok(wanted.status === "SUCCESS");
      const record = table[row]!;
      const names = Object.keys(input) as (keyof typeof input)[];
      assert.deepEqual(Object.fromEntries(names.map((name) => [name, record[name]])), input);
      const cells = Object.entries(wanted.fields).map(([name, value]) => [name, value === null ? "" : String(value)]);
      assert.equal(record["_status"], "SUCCESS", `row ${row}: ${record["_error_message"]}`);
      assert.deepEqual(Object.fromEntries(cells.map(([name = ""]) => [name, record[name]])), Object.fromEntries(cells));
      assert.ok(existsSync(new URL(record["screenshot_url"]!)), "the worker left a picture where the run looks for it");
    }
  });

  it("tells which workers were lost, and attempts no other row twice", () => {
    const lost = reports.flatMap(({ attempts }) => attempts).filter(isLost);
    assert.deepEqual(new Set(lost.map(({ worker: name }) => name)), new Set([frozen, killed]));
    for (const { worker: name, outcome } of lost) {
      assert.ok(outcome.status === "failed");
      assert.equal(outcome.message, `Worker ${name} gave no sign of life for ${heartbeatSeconds} s`);
    }
    for (const { row, attempts } of reports) {
      assert.deepEqual(
        attempts.map((attempt) => isLost(attempt)),
        attempts.map((_, index) => index < attempts.length - 1),
        `row ${row}`,
      );
    }
    const perWorker = Map.groupBy(reports, ({ attempts }) => attempts.at(-1)?.worker);
    assert.ok((perWorker.get(steady)?.length ?? 0) > 10);
  });

  it("searches no address more often than there were attempts for it", () => {
    const searches = Map.groupBy(
      site.log().filter(({ kind }) => kind === "search"),
      ({ asked }) => JSON.stringify(asked),
    );
    const attempts = reports.reduce((sum, report) => sum + report.attempts.length, 0);
    const searched = [...searches.values()].reduce((sum, some) => sum + some.length, 0);
    assert.ok(searched >= rows && searched <= attempts, `${searched} searches, ${attempts} attempts`);
  });

  it("refuses the late answer of the worker that was frozen, which goes on, and drains workers at SIGTERM", () => {
    const { lines } = worker(frozen);
    const dropped = lines.findIndex(({ type }) => type === "dropped");
    assert.ok(lines.slice(0, dropped).some(({ type }) => type === "taken"));
    assert.deepEqual(exits, [null, 0, 0]);
  });
});

describe("a run whose process dies while workers go on", () => {
  let workspace: Workspace;
  let queue: ActivityQueue;
  let children: ChildProcess[];

  before(async () => {
    children = [];
    workspace = await createWorkspace(12);
    await workspace.write("batch.json", {
      agent: "doubler",
      input: "rows.csv",
      output: "out.csv",
      execution_config: { dispatch: "activity", max_concurrency: 6, retry_strategy: { max_attempts: 0 } },
    });
    await mkdir(workspace.at("data"));
    queue = openActivityQueue(activitiesPath(workspace.at("data")));
  });
  after(async () => {
    for (const child of children) child.kill("SIGKILL");
    queue.close();
    await workspace.remove();
  });

  const start = (...args: readonly string[]): ChildProcess => {
    const child = rowcall(workspace.folder, ...args, "--quiet");
    children.push(child);
    return child;
  };
  const take = async (): Promise<{ token: string; runId: string; n: number; attempt: number }> => {
    const taken = await queue.take("doubler", "w1", new AbortController().signal);
    assert.ok(taken !== undefined);
    const { run_id: runId, row: n, attempt } = JSON.parse(taken.input) as AttemptTask;
    return { token: taken.token, runId, n, attempt };
  };
  const answer = ({ token, n }: { token: string; n: number }): void => {
    assert.equal(queue.succeed(token, JSON.stringify({ structured_output: { double: n * 2 } })), "accepted");
  };

  it("collects what they did meanwhile when it is resumed: no row is handed out twice", async () => {
    const first = start("run", "batch.json");
    const taken = [await take(), await take(), await take()];
    const closed = once(first, "close");
    first.kill("SIGKILL");
    await closed;

    answer(taken[0]!);
    answer(taken[1]!);
    const second = end(start("resume", "last"));
    const handed = taken.map(({ n, attempt }) => `${n}/${attempt}`);
    answer(taken[2]!);
    while (handed.length < 12) {
      const next = await take();
      handed.push(`${next.n}/${next.attempt}`);
      answer(next);
    }
    assert.equal((await second).code, 0);
    assert.deepEqual(handed.toSorted(), Array.from({ length: 12 }, (_, n) => `${n}/1`).toSorted());
    const reports = await rowsOf(workspace.folder);
    assert.ok(reports.every(({ status, attempts }) => status === "succeeded" && attempts.length === 1));
    assert.match(await workspace.read("out.csv"), /^11,"row, 11",22,SUCCESS/m);
    assert.deepEqual(
      handed.map((name) => queue.find(`${taken[0]!.runId}/${name}`)),
      handed.map(() => undefined),
      "tasks are forgotten once their attempts are committed",
    );
  });
});
