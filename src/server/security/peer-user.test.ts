import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { promisify } from "node:util";
import { openTestServer } from "../../../test/fakes/server.ts";
import { createWorkspace } from "../../../test/fakes/workspace.ts";
import { listen } from "../listen.ts";

const skip =
  process.platform !== "linux"
    ? "users of connections are told on Linux only"
    : process.getuid?.() !== 0
      ? "only root can be another user"
      : false;

test(
  "a session is its user's: another user of the machine who got to know the cookie is a stranger",
  { skip },
  async () => {
    const workspace = await createWorkspace(1);
    const server = await openTestServer(workspace);
    const { url, close } = await listen(server.app.fetch, { host: "127.0.0.1", port: 0 });
    try {
      const begun = await fetch(`${url}/?code=${server.createCode()}`, { redirect: "manual" });
      const cookie = begun.headers.get("set-cookie")?.split(";")[0] ?? "";
      assert.equal((await fetch(`${url}/api/v1/runs`, { headers: { cookie } })).status, 200);
      const script = `process.setgroups([]); process.setgid(65534); process.setuid(65534);
      console.log((await fetch(process.argv[1], { headers: { cookie: process.argv[2] } })).status);`;
      const args = ["--input-type=module", "--eval", script, `${url}/api/v1/runs`, cookie];
      assert.equal((await promisify(execFile)(process.execPath, args)).stdout.trim(), "401");
      assert.equal((await fetch(`${url}/api/v1/runs`, { headers: { cookie } })).status, 200);
    } finally {
      await close();
      await server.end();
      await workspace.remove();
    }
  },
);
