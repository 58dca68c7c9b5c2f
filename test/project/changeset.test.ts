import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));

test("changes that wait for a release become a version with its lines in the changelog", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-changeset-"));
  try {
    const manifest = { name: "rowcall", workspaces: ["infra"], version: "0.2.0", license: "MIT" };
    const infra = { name: "rowcall-infra", version: "0.1.0", private: true };
    await mkdir(join(folder, "infra"));
    await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
    await writeFile(join(folder, "package-lock.json"), "{}");
    await writeFile(join(folder, "infra/package.json"), JSON.stringify(infra));
    await writeFile(join(folder, "CHANGELOG.md"), "# Changelog\n\n## 0.2.0\n\nThe first.\n");
    await cp(join(root, ".changeset/config.json"), join(folder, ".changeset/config.json"));
    await writeFile(join(folder, ".changeset/one.md"), '---\n"rowcall": minor\n---\n\nReads `.ods` tables.\n');
    const git = (...args: readonly string[]): Promise<unknown> => run("git", ["-C", folder, ...args]);
    await git("init", "--quiet", "--initial-branch=main");
    await git("add", "--all");
    await git("-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "--quiet", "--no-gpg-sign", "-m", "first");

    await run(process.execPath, [join(root, "scripts/changeset.ts"), "version"], { cwd: folder, timeout: 120_000 });

    const after = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as object;
    assert.deepEqual(after, { ...manifest, version: "0.3.0" });
    assert.deepEqual(Object.keys(after), Object.keys(manifest));
    const changelog = await readFile(join(folder, "CHANGELOG.md"), "utf8");
    assert.match(changelog, /^# Changelog\n\n## 0\.3\.0\n[^]*Reads `\.ods` tables\.\n\n## 0\.2\.0\n\nThe first\.\n$/);
    assert.deepEqual(await readdir(join(folder, ".changeset")), ["config.json"]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
