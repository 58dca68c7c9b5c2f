import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { listProcesses } from "../../process-group.ts";
import { makeScratchFolder } from "./scratch-folder.ts";

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-scratch-test-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The name of a folder of this process, in pieces: what comes before the process id, its start, and what comes after. */
async function ownName(parent: string): Promise<readonly [before: string, start: string, after: string]> {
  const own = await makeScratchFolder(parent);
  await own.remove();
  const [, before = "", start = "", after = ""] =
    new RegExp(`^(.*\\.)${process.pid}\\.(\\d+)(-.*)$`).exec(basename(own.path)) ?? [];
  return [before, start, after];
}

test("what killed processes have left behind goes, what belongs to others stays", () =>
  inFolder(async (parent) => {
    const { pid: dead } = spawnSync(process.execPath, ["--eval", ""]);
    const [before, start, after] = await ownName(parent);
    const left = [`${before}${dead}.${start}${after}`];
    // Its number is another's by now, which Linux can tell.
    if (process.platform === "linux") left.push(`${before}${process.pid}.1${after}`);
    const kept = [
      `${before}${process.pid}.${start}${after}`,
      `rowcall-browser-000000.${dead}.${start}${after}`,
      `rowcall-browser${after}`,
    ];
    for (const name of [...left, ...kept]) await mkdir(join(parent, name));
    for (const name of left) await writeFile(join(parent, name, "profile"), "");

    const second = await makeScratchFolder(parent);
    assert.deepEqual((await readdir(parent)).toSorted(), [...kept, basename(second.path)].toSorted());
    await second.remove();
    await second.remove();
    assert.deepEqual((await readdir(parent)).toSorted(), kept.toSorted());
  }));

test("a browser that a killed process has left frozen is ended, and its profile deleted", () =>
  inFolder(async (parent) => {
    const { pid: dead } = spawnSync(process.execPath, ["--eval", ""]);
    const [before, start, after] = await ownName(parent);
    const orphan = spawn(process.execPath, ["--eval", "setInterval(() => {}, 1000)"], {
      detached: true,
      stdio: "ignore",
    });
    const ended = once(orphan, "exit");
    orphan.kill("SIGSTOP");
    const bystander = spawn(process.execPath, ["--eval", "setInterval(() => {}, 1000)"], {
      detached: true,
      stdio: "ignore",
    });
    const profile = join(parent, "profile");
    await mkdir(profile);
    for (const [index, { pid }, executable] of [
      [1, orphan, process.execPath],
      // A number that another program has got.
      [2, bystander, "/opt/chrome"],
    ] as const) {
      const folder = join(parent, `${before}${dead}.${start}${after}${index}`);
      await mkdir(folder);
      await writeFile(join(folder, "browser.json"), JSON.stringify({ pid, executable, profile }));
    }

    const scratch = await makeScratchFolder(parent);
    assert.deepEqual(await readdir(parent), [basename(scratch.path)]);
    assert.deepEqual(await ended, [null, "SIGKILL"]);
    assert.ok((await listProcesses()).some(({ pid }) => pid === bystander.pid));
    bystander.kill("SIGKILL");
    await once(bystander, "exit");
    await scratch.remove();
  }));
