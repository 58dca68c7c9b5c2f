import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chown, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const launcher = fileURLToPath(new URL("../../bin/rowcall.js", import.meta.url));
const isRoot = process.getuid?.() === 0;

describe("compiled code of a command", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rowcall-code-"));
    await mkdir(join(folder, "shared"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const start = async (cache: string): Promise<void> => {
    const { NODE_COMPILE_CACHE: _, ...env } = process.env;
    await promisify(execFile)(process.execPath, [launcher, "--version"], {
      env: { ...env, XDG_CACHE_HOME: cache, TMPDIR: join(folder, "shared") },
    });
  };

  it("is kept where only the user can write, never in a temporary folder that others share", async () => {
    const cache = join(folder, "cache");
    await start(cache);
    assert.deepEqual(await readdir(join(folder, "shared")), []);
    const kept = join(cache, "rowcall", "compile-cache");
    assert.notEqual((await readdir(kept, { recursive: true })).length, 0);
    if (process.getuid !== undefined) assert.equal((await stat(kept)).mode & 0o777, 0o700);
  });

  it(
    "is neither read nor kept where another user could have put it",
    { skip: isRoot ? false : "only root can give a folder to another user" },
    async () => {
      const cache = join(folder, "cache");
      const theirs = join(cache, "rowcall", "compile-cache");
      await mkdir(theirs, { recursive: true });
      await chown(theirs, 65_534, 65_534);
      await start(cache);
      assert.deepEqual(await readdir(theirs), []);
      assert.deepEqual(await readdir(join(folder, "shared")), []);
    },
  );
});
