import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { makeScratchFolder } from "./scratch-folder.ts";

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-scratch-test-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("what killed processes have left behind goes, what belongs to others stays", () =>
  inFolder(async (parent) => {
    const dead = spawnSync(process.execPath, ["--eval", ""]).pid;
    const first = await makeScratchFolder(parent);
    const own = basename(first.path);
    const [before, after] = own.split(`-${process.pid}-`);
    await first.remove();
    const names = [`${before}-${dead}-abcdef`, `${before}-${process.pid}-abcdef`, `rowcall-browser-${after}`];
    for (const name of names) await mkdir(join(parent, name));
    await writeFile(join(parent, names[0] ?? "", "profile"), "");

    const second = await makeScratchFolder(parent);
    assert.deepEqual(await readdir(parent), [...names.slice(1), basename(second.path)].toSorted());
    await second.remove();
    await second.remove();
    assert.deepEqual(await readdir(parent), names.slice(1).toSorted());
  }));
