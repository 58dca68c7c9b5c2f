import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, lstat, readdir, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { addPhotographer } from "../fakes/photographer.ts";
import { useWorkspace, type Workspace } from "../fakes/workspace.ts";

const launcher = fileURLToPath(new URL("../../bin/rowcall.js", import.meta.url));
const skip = process.getuid === undefined ? "files have no modes here" : false;

describe("files of a data directory", { skip }, () => {
  let workspace: Workspace;
  useWorkspace(2, (made) => (workspace = made));

  /** Starts a command under a `umask` that would leave everything open. */
  const start = (args: readonly string[], umask = "000"): ReturnType<typeof spawn> =>
    spawn("/bin/sh", ["-c", `umask ${umask}; exec "$@"`, "sh", process.execPath, launcher, ...args], {
      cwd: workspace.folder,
      stdio: ["ignore", "pipe", "inherit"],
    });
  const run = async (...args: readonly string[]): Promise<void> => {
    const child = start(args);
    const [code] = (await once(child, "exit")) as [number];
    assert.equal(code, 0);
  };
  /** What of a folder others may touch, and how many files were looked at. */
  const open = async (folder: string): Promise<{ readonly loose: readonly string[]; readonly files: number }> => {
    const entries = ["", ...(await readdir(folder, { recursive: true }))];
    const loose: string[] = [];
    for (const entry of entries) {
      // A file that is being written is gone a moment later, under its temporary name.
      const mode = await lstat(join(folder, entry)).then(
        (found) => found.mode,
        (thrown: NodeJS.ErrnoException) => {
          if (thrown.code === "ENOENT") return 0;
          throw thrown;
        },
      );
      if ((mode & 0o077) !== 0) loose.push(`${entry} ${(mode & 0o777).toString(8)}`);
    }
    return { loose, files: entries.length };
  };
  const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

  it("are its user's alone: journal, tables, recordings, uploads, results, tokens", async () => {
    await addPhotographer(workspace);
    await workspace.write("seen.json", { agent: "photographer", input: "rows.csv", output: ".rowcall/kept/out.csv" });
    await run("run", "seen.json", "--quiet");
    const server = start(["serve", "--port", "0", "--json"]);
    try {
      const [line] = (await once(server.stdout!, "data")) as [Buffer];
      const { url, token } = JSON.parse(line.toString()) as { url: string; token: string };
      const post = async (path: string, body: string, more: Record<string, string> = {}): Promise<void> => {
        const headers = { authorization: `Bearer ${token}`, ...more };
        const response = await fetch(`${url}/api/v1${path}`, { method: "POST", headers, body });
        assert.ok(response.ok, await response.text());
      };
      await post("/uploads?name=rows.csv", "n,text\n1,a\n");
      const batch = { agent: "photographer", input: workspace.at("rows.csv") };
      await post("/runs", JSON.stringify({ batch }), { "idempotency-key": "one" });
      // While it is open, the journal has its log and its index beside it.
      const { loose, files } = await open(workspace.at(".rowcall"));
      assert.deepEqual(loose, []);
      assert.ok(files > 15, String(files));
      // Who has the token, or names a table in a batch, reads no key and no database for it.
      const data = workspace.at(".rowcall");
      const secrets = await readdir(data, { withFileTypes: true });
      const isOwn = ({ name }: { readonly name: string }): boolean => /\.|token|^(?:sessions|serving)$/.test(name);
      await symlink(data, workspace.at("linked"));
      for (const entry of secrets.filter(isOwn)) {
        const name = entry.isFile()
          ? entry.name
          : join(entry.name, (await readdir(join(data, entry.name)))[0] ?? "any");
        for (const inputUri of [join(data, name), workspace.at("linked", name)]) {
          const headers = { authorization: `Bearer ${token}` };
          const body = JSON.stringify({ agent: "photographer", inputUri });
          const response = await fetch(`${url}/api/v1/mappings`, { method: "POST", headers, body });
          const { code } = (await response.json()) as { readonly code: unknown };
          assert.equal(code, "STORE_DENIED", inputUri);
        }
      }
      assert.ok(secrets.filter(isOwn).length >= 4, String(secrets.map(({ name }) => name)));
    } finally {
      const ended = once(server, "exit");
      server.kill("SIGTERM");
      await ended;
    }
    assert.deepEqual((await open(workspace.at(".rowcall"))).loose, []);
  });

  it("of an earlier version are closed, with the folder", async () => {
    await run("run", "batch.json", "--quiet");
    for (const name of ["", "journal.db"]) await chmod(workspace.at(".rowcall", name), 0o777);
    await run("runs");
    assert.deepEqual(
      [await modeOf(workspace.at(".rowcall")), await modeOf(workspace.at(".rowcall", "journal.db"))],
      [0o700, 0o600],
    );
  });

  it("leave outputs that a user names to the user: the umask says, and a replaced file opens to nobody new", async () => {
    await run("run", "batch.json", "--quiet", "--output", "out/table.csv");
    assert.equal(await modeOf(workspace.at("out", "table.csv")), 0o666);
    assert.equal(await modeOf(workspace.at("out")), 0o777);
    await chmod(workspace.at("out", "table.csv"), 0o640);
    await run("run", "batch.json", "--quiet", "--output", "out/table.csv", "--force");
    assert.equal(await modeOf(workspace.at("out", "table.csv")), 0o640);
  });
});
