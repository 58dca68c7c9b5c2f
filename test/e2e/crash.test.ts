import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { RowReport } from "../../src/core/engine.ts";
import { useWorkspace, type Workspace } from "../fakes/workspace.ts";

const cli = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

describe("a row that kills the process of its run", () => {
  const rows = 12;
  let workspace: Workspace;
  useWorkspace(rows, (made) => (workspace = made));

  const rowcall = (...args: readonly string[]): ChildProcess =>
    spawn(process.execPath, [cli, ...args], { cwd: workspace.folder, stdio: ["ignore", "pipe", "inherit"] });
  /** Exit code; null when it was killed. */
  const end = async (child: ChildProcess): Promise<number | null> => {
    const [[code]] = await Promise.all([once(child, "close") as Promise<[number | null]>, text(child.stdout!)]);
    return code;
  };
  const reports = async (): Promise<readonly RowReport[]> => {
    const child = rowcall("rows", "last", "--json");
    const [out] = await Promise.all([text(child.stdout!), once(child, "close")]);
    return out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as RowReport);
  };

  // Nothing in the process can stop a signal of this kind, as nothing stops the system when memory is short.
  const killsAt = (row: number, milliseconds: number): string => `
    import { setTimeout as wait } from "node:timers/promises";
    export default async ({ n }) => {
      if (n === "${row}") { await wait(${milliseconds}); process.kill(process.pid, "SIGKILL"); }
      await wait(3);
      return { structured_output: { double: n * 2 } };
    };`;

  for (const { what, concurrency, row, milliseconds, deaths } of [
    { what: "alone, after the second time", concurrency: 1, row: 2, milliseconds: 100, deaths: 3 },
    { what: "among others, once it has done so twice alone", concurrency: 4, row: 5, milliseconds: 100, deaths: 5 },
    { what: "before its start is on disk", concurrency: 4, row: 0, milliseconds: 0, deaths: 6 },
  ]) {
    it(`fails with AGENT_CRASHED, ${what}, and every other row succeeds`, async () => {
      await workspace.write("agent.mjs", killsAt(row, milliseconds));
      let died = 0;
      let code = await end(rowcall("run", "batch.json", "--max-concurrency", String(concurrency), "--quiet"));
      for (; code === null && died <= deaths; code = await end(rowcall("resume", "last", "--quiet"))) died += 1;
      assert.deepEqual([code, died <= deaths], [3, true], `it died ${died} times`);
      const outcomes = (await reports()).map(({ attempts }) => attempts.at(-1)?.outcome);
      for (const [index, outcome] of outcomes.entries()) {
        if (index !== row) assert.equal(outcome?.status, "succeeded");
        else assert.equal(outcome?.status === "failed" && outcome.code, "AGENT_CRASHED");
      }
    });
  }

  it("is not suspected when it was the user who ended the process, however often", async () => {
    await workspace.write(
      "agent.mjs",
      `import { existsSync } from "node:fs";
       export default async ({ n }) => {
         if (n === "1" && !existsSync("go-on")) { console.error("in flight"); await new Promise(() => {}); }
         return { structured_output: { double: n * 2 } };
       };`,
    );
    const resume = ["resume", "last"];
    for (const command of [["run", "batch.json", "--max-concurrency", "1"], resume, resume, resume]) {
      const child = spawn(process.execPath, [cli, ...command], {
        cwd: workspace.folder,
        stdio: ["ignore", "ignore", "pipe"],
      });
      let said = "";
      child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
      const closed = once(child, "close");
      while (!said.includes("in flight")) await wait(5);
      child.kill("SIGINT");
      while (!said.includes("rows in flight finish")) await wait(5);
      child.kill("SIGINT");
      assert.deepEqual(await closed, [130, null]);
    }
    await workspace.write("go-on", "");
    assert.equal(await end(rowcall("resume", "last", "--quiet")), 0);
  });
});
