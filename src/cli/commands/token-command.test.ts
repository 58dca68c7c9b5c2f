import assert from "node:assert/strict";
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { chown, mkdir, readdir, stat } from "node:fs/promises";
import process from "node:process";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { useWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

describe("rowcall token rotate", () => {
  let workspace: Workspace;
  useWorkspace(1, (made) => (workspace = made));

  const start = (...args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> =>
    // Under this umask files would be everybody's.
    spawn("/bin/sh", ["-c", 'umask 000; exec "$@"', "sh", process.execPath, main, ...args], {
      cwd: workspace.folder,
      env: { PATH: process.env["PATH"] },
      stdio: ["ignore", "pipe", "pipe"],
    });
  async function run(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
    const child = start(...args);
    const [out, err, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close") as Promise<[number]>,
    ]);
    return { code, out, err };
  }
  const statusOf = async (url: string, headers: Record<string, string>): Promise<number> =>
    (await fetch(`${url}/api/v1/runs`, { headers })).status;

  it("shuts out the old token and all sessions of a server that runs, which takes the new token", async () => {
    const server = start("serve", "--port", "0", "--json");
    try {
      const [line] = (await once(server.stdout, "data")) as [Buffer];
      const { url, token } = JSON.parse(line.toString()) as { url: string; token: string };
      const begun = await fetch(`${url}/sign-in`, {
        method: "POST",
        body: new URLSearchParams({ token }),
        redirect: "manual",
      });
      const cookie = begun.headers.get("set-cookie")?.split(";")[0] ?? "";
      assert.deepEqual([await statusOf(url, { cookie }), await statusOf(url, bearer(token))], [200, 200]);

      const { code, out, err } = await run("token", "rotate", "--json");
      assert.equal(code, 0, err);
      const file = workspace.at(".rowcall", "server-token");
      assert.deepEqual(JSON.parse(out), { file, sessionsEnded: 1, servers: [url] });
      assert.deepEqual([await statusOf(url, { cookie }), await statusOf(url, bearer(token))], [401, 401]);
      const fresh = await workspace.read(".rowcall/server-token");
      assert.equal(await statusOf(url, bearer(fresh)), 200);
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      assert.deepEqual(await readdir(workspace.at(".rowcall/sessions")), []);

      const lines = (await workspace.read(".rowcall/audit.jsonl")).trimEnd().split("\n");
      const { at: _at, ...entry } = JSON.parse(lines.at(-1) ?? "") as Record<string, unknown>;
      assert.deepEqual(entry, {
        via: "cli",
        by: `user:${process.getuid?.()}`,
        action: "rotateToken",
        detail: { sessionsEnded: 1 },
        outcome: "done",
      });
      const again = await run("token", "rotate");
      assert.equal(again.code, 0, again.err);
      assert.ok(again.err.includes(`${url} uses the new token from now on.`), again.err);
      assert.match(again.err, /The old token no longer works; 0 sessions ended\./);
      assert.ok(!`${out}${again.out}${again.err}`.includes(fresh), "no token is printed");
    } finally {
      const ended = once(server, "exit");
      server.kill("SIGTERM");
      await ended;
    }
  });

  it("says where there is no token, and makes none there", async () => {
    const { code, err } = await run("token", "rotate", "--data-dir", "elsewhere");
    assert.equal(code, 2);
    assert.match(err, /There is no server's token in .*elsewhere/);
    assert.match(err, /Name the data directory of the server with --data-dir/);
    await assert.rejects(stat(workspace.at("elsewhere")), { code: "ENOENT" });
  });

  it(
    "replaces no token of another user, whose server could not read the new one",
    { skip: process.getuid?.() === 0 ? false : "only root can give a file away" },
    async () => {
      const kept = "x".repeat(43);
      await mkdir(workspace.at(".rowcall"), { mode: 0o700 });
      await workspace.write(".rowcall/server-token", kept);
      await chown(workspace.at(".rowcall/server-token"), 65_534, 65_534);
      const { code, err } = await run("token", "rotate");
      assert.equal(code, 2);
      assert.match(err, /server-token belongs to another user \(65534\)/);
      assert.match(err, /sudo -u '#65534'/);
      assert.equal(await workspace.read(".rowcall/server-token"), kept);
    },
  );
});

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}
