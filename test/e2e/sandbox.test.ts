import assert from "node:assert/strict";
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { listProcesses } from "../../src/agents/process-group.ts";
import { openSandbox, type Sandbox } from "../../src/cli/sandbox/open-sandbox.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const launcher = join(root, "bin/rowcall.js");

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function node(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [number];
  return { code, stdout, stderr };
}

describe("rowcall sandbox", () => {
  it("does the seven steps of the original product, through the SDK and the AWS command line", async () => {
    const { code, stdout, stderr } = await node(join(root, "examples/broadband/demo-aws.ts"));
    assert.equal(code, 0, stdout + stderr);
    const ways = existsSync("/usr/bin/aws") ? 2 : 1;
    assert.equal(stdout.match(/^ {2}7\. Download the result: s3:\/\//gm)?.length, ways, stdout);
    assert.equal(stdout.match(/^The subscribed queue was told: /gm)?.length, ways, stdout);
  });

  it("ends with the status of the command, which reaches nothing but the sandbox", async () => {
    const script = 'test "$AWS_PROFILE" = CGI-PoC && test -z "$AWS_ACCESS_KEY_ID" && exit 7';
    const { code, stderr } = await node(launcher, "sandbox", "--exec", script);
    assert.equal(code, 7, stderr);
  });

  it("ends all that it started, and leaves nothing behind, when it is interrupted", async () => {
    const child = spawn(process.execPath, [launcher, "sandbox"], { stdio: ["ignore", "pipe", "ignore"] });
    const closed = once(child, "close");
    let said = "";
    while (!said.includes("Ctrl-C")) said += ((await once(child.stdout, "data")) as [Buffer])[0].toString();
    const folder = /ROWCALL_DATA_DIR='([^']+)'/.exec(said)?.[1] ?? "";
    assert.ok(existsSync(folder), said);
    const workers = await childrenOf(child.pid ?? 0);
    assert.notEqual(workers.length, 0);
    child.kill("SIGINT");
    assert.deepEqual(await closed, [130, null]);
    assert.ok(!existsSync(folder));
    while ((await listProcesses()).some(({ pid }) => workers.includes(pid))) await wait(20);
    for (const url of said.match(/http:\/\/127\.0\.0\.1:\d+/g) ?? []) await assert.rejects(fetch(url), url);
  });

  it("leaves no worker when it is killed, and the next one deletes its folder", async () => {
    const start = async (): Promise<{ child: ChildProcess; folder: string }> => {
      const child = spawn(process.execPath, [launcher, "sandbox"], { stdio: ["ignore", "pipe", "ignore"] });
      let said = "";
      while (!said.includes("Ctrl-C")) said += ((await once(child.stdout, "data")) as [Buffer])[0].toString();
      return { child, folder: /ROWCALL_DATA_DIR='([^']+)'/.exec(said)?.[1] ?? "" };
    };
    const killed = await start();
    const workers = await childrenOf(killed.child.pid ?? 0);
    assert.notEqual(workers.length, 0);
    const gone = once(killed.child, "exit");
    killed.child.kill("SIGKILL");
    await gone;
    const isLeft = async (): Promise<boolean> =>
      (await listProcesses()).some(({ pid, group }) => workers.includes(pid) || workers.includes(group));
    while (await isLeft()) await wait(20);
    assert.ok(existsSync(killed.folder));

    const next = await start();
    assert.ok(!existsSync(killed.folder));
    const ended = once(next.child, "close");
    next.child.kill("SIGTERM");
    await ended;
    assert.ok(!existsSync(next.folder));
  });
});

// Commands of the AWS command line run where there is one: which, is the machine's business.
const hasAws = (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, "aws")));
if (!hasAws) console.log("There is no AWS command line here: commands of the pages that need it are not run.");

const pages = ["sandbox", "aws-cli", "workers", "notifications"];

describe("commands of the pages, in a sandbox", () => {
  let sandbox: Sandbox;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "rowcall pages "));
    await cp(join(root, "examples/function-agent"), folder, { recursive: true });
    await writeFile(join(folder, "rowcall"), `#!/bin/sh\nexec "${process.execPath}" "${launcher}" "$@"\n`, {
      mode: 0o755,
    });
    await symlink(join(root, "node_modules"), join(folder, "node_modules"), "dir");
    sandbox = await openSandbox({
      io: { env: process.env, stderr: process.stderr, workingDirectory: folder },
      concurrency: 2,
      allowedModules: [join(folder, "lookup.ts")],
    });
    await shell("rowcall agents copy phone-country --registry registry --to dynamodb:AgentRegistry-prod");
  });
  after(async () => {
    await sandbox.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function shell(script: string): Promise<void> {
    const path = [folder, dirname(process.execPath), process.env["PATH"]].join(delimiter);
    await promisify(execFile)("bash", ["-euo", "pipefail", "-c", script], {
      cwd: folder,
      env: { ...sandbox.env, PATH: path },
      timeout: 570_000,
    });
  }

  for (const page of pages) {
    it(`docs/${page}.md`, async () => {
      const text = await readFile(join(root, "docs", `${page}.md`), "utf8");
      const blocks = [...text.matchAll(/<!-- runs in the sandbox -->\n```sh\n(.*?)^```$/gms)].map(
        ([, code = ""]) => code,
      );
      assert.notEqual(blocks.length, 0, `docs/${page}.md shows no command that runs in the sandbox`);
      await shell(blocks.filter((code) => hasAws || !/\baws /.test(code)).join("\n"));
    });
  }
});

async function childrenOf(parent: number): Promise<readonly number[]> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "pid=", "--ppid", String(parent)]);
  return stdout.trim().split("\n").map(Number);
}
