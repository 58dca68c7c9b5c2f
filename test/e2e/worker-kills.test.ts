import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { RowReport } from "../../src/core/engine.ts";
import type { EndpointKeys } from "../../src/server/stepfunctions/signature.ts";
import { startWorkerProcess, type WorkerProcess } from "../fakes/worker-process.ts";
import { createWorkspace, type Workspace } from "../fakes/workspace.ts";

const cli = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const rows = 16;
// At a death, they take all that both workers have with them.
const killers = [3, 6];
// A worker that is well is never silent for so long three times, on a busy machine either.
const heartbeatSeconds = 5;

describe("rows that kill their workers, with others in flight beside them", () => {
  let workspace: Workspace;
  let arn: string;
  let endpoint: { readonly url: string; readonly keys: EndpointKeys };
  let isOver = false;
  let deaths = 0;
  const workers = new Map<string, WorkerProcess>();
  const children: ChildProcess[] = [];
  let code: number | null;
  let reports: readonly RowReport[];

  before(async () => {
    workspace = await createWorkspace(rows);
    await workspace.write(
      "agent.mjs",
      `import { setTimeout as wait } from "node:timers/promises";
       export default async ({ n }) => {
         await wait(100);
         if (${JSON.stringify(killers)}.includes(Number(n))) process.kill(process.pid, "SIGKILL");
         await wait(100);
         return { structured_output: { double: n * 2 } };
       };`,
    );
    await workspace.write("batch.json", {
      agent: "doubler",
      input: "rows.csv",
      output: "out.csv",
      execution_config: {
        dispatch: "activity",
        heartbeat_seconds: heartbeatSeconds,
        max_concurrency: 8,
        retry_strategy: { max_attempts: 0 },
      },
    });
    const serving = rowcall("serve", "--aws-endpoint", "--port", "0", "--json");
    const [line] = (await once(createInterface(serving.stdout!), "line")) as [string];
    const { url, ...keys } = JSON.parse(line) as EndpointKeys & { url: string };
    endpoint = { url, keys };
    arn = "arn:aws:states:eu-west-1:123456789012:activity:doubler";
    const supervised = ["w1", "w2"].map(keepAlive);
    const run = rowcall("run", "batch.json", "--quiet");
    [code] = (await once(run, "close")) as [number | null];
    isOver = true;
    for (const { child } of workers.values()) child.kill("SIGTERM");
    await Promise.all(supervised);
    const listing = rowcall("rows", "last", "--json");
    const out = await text(listing.stdout!);
    reports = out
      .trimEnd()
      .split("\n")
      .map((row) => JSON.parse(row) as RowReport);
  });
  after(async () => {
    isOver = true;
    for (const { child } of workers.values()) child.kill("SIGKILL");
    for (const child of children) child.kill("SIGKILL");
    await workspace.remove();
  });

  function rowcall(...args: readonly string[]): ChildProcess {
    const child = spawn(process.execPath, [cli, ...args, "--data-dir", workspace.at("data")], {
      cwd: workspace.folder,
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    return child;
  }

  /** Does what a supervisor of the system does: starts a worker anew when it has died. */
  async function keepAlive(name: string): Promise<void> {
    while (!isOver) {
      const worker = startWorkerProcess(
        name,
        endpoint,
        arn,
        "--registry",
        workspace.at("registry"),
        "--concurrency",
        "4",
      );
      workers.set(name, worker);
      if ((await worker.ended) === null && !isOver) deaths += 1;
    }
  }

  it("fail with WORKER_LOST after three workers each, and no other row fails", () => {
    assert.equal(code, 3);
    assert.equal(reports.length, rows);
    for (const { row, status, attempts } of reports) {
      const last = attempts.at(-1)?.outcome;
      if (!killers.includes(row)) assert.equal(status, "succeeded", `row ${row}: ${JSON.stringify(attempts)}`);
      else {
        assert.equal(last?.status === "failed" && last.code, "WORKER_LOST");
        assert.equal(attempts.length, 3);
      }
    }
  });

  it("are run alone from their third attempt on, so that each kills no more than three workers", () => {
    assert.ok(deaths >= 3 && deaths <= 3 * killers.length, `${deaths} deaths`);
    const suspects = reports.flatMap(({ attempts }) => attempts.filter(({ number }) => number >= 3));
    const all = reports.flatMap(({ attempts }) => attempts);
    for (const suspect of suspects) {
      const beside = all.filter(
        (one) => one.row !== suspect.row && one.startedAt < suspect.endedAt && suspect.startedAt < one.endedAt,
      );
      assert.deepEqual(beside, [], `beside row ${suspect.row}`);
    }
  });
});
