import assert from "node:assert/strict";
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import process from "node:process";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { listProcesses } from "../agents/process-group.ts";
import { useWorkspace, type Workspace } from "../../test/fakes/workspace.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

type Child = ChildProcessByStdio<null, Readable, Readable>;

let workspace: Workspace;

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Child {
  return spawn(process.execPath, [main, ...args], {
    cwd: workspace.folder,
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function ended(child: Child): Promise<{ code: number; out: string; err: string }> {
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number]>,
  ]);
  return { code, out, err };
}

describe("the rowcall process", () => {
  useWorkspace(30, (made) => (workspace = made));

  it("keeps data on standard output, the rest on standard error, and ends with the exit code", async () => {
    const run = await ended(start(["run", "batch.json"]));
    assert.deepEqual([run.code, run.out], [3, `${workspace.at("out.csv")}\n`]);
    assert.match(run.err, /30 rows: 27 succeeded, 3 failed/);
    const mistyped = await ended(start(["run", "batch.json", "--max-concurency", "2"]));
    assert.equal(mistyped.code, 2);
    assert.match(mistyped.err, /Did you mean --max-concurrency\?/);
  });

  it("colours when FORCE_COLOR says so, and not when NO_COLOR does", async () => {
    const coloured = await ended(start(["show", "nothing"], { FORCE_COLOR: "1" }));
    assert.match(coloured.err, /^\u001b\[31merror:\u001b\[39m /);
    const plain = await ended(start(["show", "nothing"], { FORCE_COLOR: "1", NO_COLOR: "1" }));
    assert.match(plain.err, /^error: There is no run/m);
  });

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    it(`drains at ${signal}, ends with 130 and can be resumed`, async () => {
      const child = start(["run", "batch.json"], { AGENT_MS: "50" });
      child.stderr.once("data", () => child.kill(signal));
      const interrupted = await ended(child);
      assert.deepEqual([interrupted.code, interrupted.out], [130, ""]);
      assert.match(interrupted.err, new RegExp(`${signal}: rows in flight finish`));
      const resumed = await ended(start(["resume", "last"]));
      assert.equal(resumed.code, 3);
      assert.equal((await workspace.read("out.csv")).split("\n").length, 32);
    });
  }

  it("ends although an agent has left a timer and a socket open", async () => {
    const module = `import { createServer } from "node:net";
      setInterval(() => {}, 1000);
      createServer().listen(0, "127.0.0.1");
      export default (input) => ({ structured_output: { double: 2 * input.n } });`;
    await writeFile(workspace.at("open.mjs"), module);
    const agent = {
      agent_name: "open",
      version: "1.0.0",
      kind: "function",
      config: { module: workspace.at("open.mjs") },
      structured_output: { enabled: true, output_fields: ["double"] },
    };
    await workspace.write("registry/agents/open_v1.0.0.json", agent);
    await workspace.write("open.json", { agent_name: "open", input: "rows.csv", output: "open.csv" });
    const { code, err } = await ended(start(["run", "open.json"]));
    assert.equal(code, 0, err);
  });

  it("ends when the program that started it over a channel is killed", async () => {
    const args = JSON.stringify([main, "serve", "--port", "0", "--json"]);
    const parent = `import { spawn } from "node:child_process";
      const child = spawn(process.execPath, ${args}, { stdio: ["ignore", "pipe", "ignore", "ipc"] });
      child.stdout.once("data", () => console.log(child.pid));
      setInterval(() => {}, 1000);`;
    const starter = spawn(process.execPath, ["--input-type=module", "--eval", parent], {
      cwd: workspace.folder,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [line] = (await once(starter.stdout, "data")) as [Buffer];
    const child = Number(line.toString());
    starter.kill("SIGKILL");
    while ((await listProcesses()).some(({ pid }) => pid === child)) await nextTurn();
  });

  it("ends quietly when the reader of its output has seen enough", async () => {
    await ended(start(["run", "batch.json"]));
    const child = start(["rows", "last", "--json"]);
    child.stdout.destroy();
    const [err, [code]] = await Promise.all([text(child.stderr), once(child, "close") as Promise<[number]>]);
    assert.deepEqual([err, code], ["", 0]);
  });

  it("goes on to the end of the run when nobody reads its progress any more", async () => {
    const child = start(["run", "batch.json"]);
    child.stderr.destroy();
    const [out, [code]] = await Promise.all([text(child.stdout), once(child, "close") as Promise<[number]>]);
    assert.deepEqual([out, code], [`${workspace.at("out.csv")}\n`, 3]);
  });

  it("does not call a table written that its reader did not take", async () => {
    const child = start(["run", "batch.json", "--output", "-"]);
    child.stdout.destroy();
    const [err, [code]] = await Promise.all([text(child.stderr), once(child, "close") as Promise<[number]>]);
    assert.equal(code, 1);
    assert.match(err, /error: Standard output was closed before everything was written\nhint: /);
    const resumed = await ended(start(["resume", "last"]));
    assert.equal(resumed.code, 3);
    assert.equal(resumed.out.split("\n").length, 32);
  });

  describe("on a full disk", { skip: !existsSync("/dev/full") }, () => {
    const into = (streams: string, ...args: readonly string[]): Child =>
      spawn("sh", ["-c", `exec "$0" "$@" ${streams}`, process.execPath, main, ...args], {
        cwd: workspace.folder,
        env: { PATH: process.env["PATH"] },
        stdio: ["ignore", "pipe", "pipe"],
      });

    it("says in a sentence that standard output cannot be written", async () => {
      await ended(start(["run", "batch.json"]));
      for (const args of [["rows", "last", "--json"], ["runs"], ["--help"], ["run", "batch.json", "--force"]]) {
        const { code, err } = await ended(into("> /dev/full", ...args));
        assert.equal(code, 1, args.join(" "));
        assert.match(err, /Standard output cannot be written: .*no space left on device.*hint/s);
        assert.doesNotMatch(err, /^ {4}at /m);
      }
    });

    it("does not call a table written that went to standard output", async () => {
      const { code, err } = await ended(into("> /dev/full", "run", "batch.json", "--output", "-"));
      assert.equal(code, 1);
      assert.match(err, /error: Standard output cannot be written/);
      assert.equal((await ended(start(["show", "last"]))).out.includes("succeeded in"), false);
      assert.equal((await ended(start(["resume", "last"]))).out.split("\n").length, 32);
    });

    it("runs to the end when standard error cannot be written", async () => {
      const { code, out } = await ended(into("2> /dev/full", "run", "batch.json"));
      assert.deepEqual([code, out], [3, `${workspace.at("out.csv")}\n`]);
      assert.equal((await ended(into("2> /dev/full", "show", "nothing"))).code, 2);
    });
  });
});
