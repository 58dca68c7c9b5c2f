import assert from "node:assert/strict";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import process from "node:process";
import { describe, it } from "node:test";
import { openTestEndpoint } from "../../../test/fakes/endpoint.ts";
import { useWorkspace, type Workspace } from "../../../test/fakes/workspace.ts";
import { listServing } from "../../server/note-serving.ts";
import { lookAtFileModes, lookAtServers } from "./privacy-findings.ts";

describe("checks of who else gets at things", () => {
  let workspace: Workspace;
  useWorkspace(1, (made) => (workspace = made));

  it(
    "tell of a data directory that others may read, and how it is closed",
    { skip: process.getuid === undefined ? "files have no modes here" : false },
    async () => {
      const folder = workspace.at("data");
      assert.equal((await lookAtFileModes(folder)).status, "passed");
      await mkdir(folder, { mode: 0o700 });
      await writeFile(workspace.at("data", "journal.db"), "");
      await chmod(workspace.at("data", "journal.db"), 0o644);
      assert.equal((await lookAtFileModes(folder)).status, "passed");
      await chmod(folder, 0o755);
      const { status, detail, hint } = await lookAtFileModes(folder);
      assert.equal(status, "warning");
      assert.match(detail, /1 file in it too, such as .*journal\.db/);
      assert.match(hint ?? "", /^chmod -R go= /);
    },
  );

  it("tell of servers that run, and of those that others reach in clear", async () => {
    const folder = workspace.at(".rowcall");
    assert.equal(lookAtServers(await listServing(folder)).detail, "None is running");
    const own = await openTestEndpoint(workspace);
    const quiet = lookAtServers(await listServing(folder));
    assert.deepEqual([quiet.status, quiet.detail.includes("this machine alone")], ["passed", true]);
    await own.close();
    const exposed = await openTestEndpoint(workspace, { host: "0.0.0.0" });
    const warned = lookAtServers(await listServing(folder));
    assert.deepEqual([warned.status, warned.detail.includes("in clear")], ["warning", true]);
    await exposed.close();
    await writeFile(workspace.at(".rowcall", "serving", "999999999-1.json"), "{}");
    assert.deepEqual(await listServing(folder), []);
  });
});
