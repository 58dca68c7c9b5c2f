import assert from "node:assert/strict";
import { chmod, chown, mkdir, mkdtemp, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import { makePrivateFolder, userCache } from "./private-folder.ts";

const isRoot = process.getuid?.() === 0;
const reason = isRoot ? false : "only root can give a folder to another user";
const nobody = 65_534;

describe(
  "a folder for files that are executed",
  { skip: process.getuid === undefined ? "there are no users here" : false },
  () => {
    let parent: string;
    beforeEach(async () => {
      parent = await mkdtemp(join(tmpdir(), "rowcall-private-"));
    });
    afterEach(() => rm(parent, { recursive: true, force: true }));
    const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

    it("is made for this user alone, and one that others could only read is closed", async () => {
      const folder = join(parent, "cache", "rowcall");
      makePrivateFolder(folder);
      assert.equal(await modeOf(folder), 0o700);
      assert.equal(await modeOf(join(parent, "cache")), 0o700);
      await chmod(folder, 0o755);
      makePrivateFolder(folder);
      assert.equal(await modeOf(folder), 0o700);
    });

    it("is refused when others could have written to it or could exchange it, and when it is a link", async () => {
      const open = join(parent, "open");
      await mkdir(open);
      await chmod(open, 0o777);
      assert.throws(() => makePrivateFolder(open), /open can be written by others/);
      assert.throws(() => makePrivateFolder(join(open, "below")), /open can be written by others/);
      // Others may make files in a sticky folder, and cannot rename this user's.
      await chmod(open, 0o1777);
      makePrivateFolder(join(open, "below"));
      await symlink(join(open, "below"), join(open, "link"));
      assert.throws(() => makePrivateFolder(join(open, "link")), /link is not a folder/);
      await symlink(join(parent, "nowhere"), join(open, "dangling"));
      assert.throws(() => makePrivateFolder(join(open, "dangling")));
    });

    it(
      "is refused when another user made it, or a folder above it, and nothing is left there",
      { skip: reason },
      async () => {
        const theirs = join(parent, "theirs");
        await mkdir(theirs, { mode: 0o700 });
        await chown(theirs, nobody, nobody);
        assert.throws(() => makePrivateFolder(theirs), /theirs belongs to user 65534/);
        assert.throws(() => makePrivateFolder(join(theirs, "a", "b")), /theirs belongs to user 65534/);
        await assert.rejects(stat(join(theirs, "a")));
      },
    );

    it("lies in the user's cache, also when the variable is empty", () => {
      assert.equal(userCache({ XDG_CACHE_HOME: "/c" }), join("/c", "rowcall"));
      assert.match(userCache({ XDG_CACHE_HOME: "" }), /\.cache.rowcall$/);
    });
  },
);
