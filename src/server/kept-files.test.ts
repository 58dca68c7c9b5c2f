import assert from "node:assert/strict";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, it } from "node:test";
import { openTestServer, type TestServer } from "../../test/fakes/server.ts";
import { useWorkspace, type Workspace } from "../../test/fakes/workspace.ts";
import { removeOld } from "./kept-files.ts";

const table = `a,b\n${"1,2\n".repeat(1000)}`;

describe("uploads", () => {
  let workspace: Workspace;
  let server: TestServer;
  useWorkspace(1, (made) => (workspace = made));
  beforeEach(async () => {
    server = await openTestServer(workspace, { maxUploadsBytes: 10_000 });
  });
  afterEach(() => server.end());

  const upload = (): Promise<Response> =>
    server.request("/api/v1/uploads?name=table.csv", {
      method: "POST",
      body: new Blob([table]).stream(),
      duplex: "half",
    } as RequestInit);
  const kept = async (): Promise<number> => (await readdir(workspace.at(".rowcall", "uploads"))).length;

  it("together take no more than they may, one by one and at once", async () => {
    assert.equal((await upload()).status, 201);
    assert.equal((await upload()).status, 201);
    const third = await upload();
    assert.equal(third.status, 413);
    const { code, detail, hint } = (await third.json()) as { code: string; detail: string; hint: string };
    assert.equal(code, "REQUEST_TOO_LARGE");
    assert.match(detail, /With the 8008 bytes of earlier uploads, uploads would take more than 10000 bytes/);
    assert.match(hint, /--max-uploads/);
    assert.equal(await kept(), 2);
    await removeOld(workspace.at(".rowcall"), Date.now() + 1000);
    const together = await Promise.all([upload(), upload(), upload(), upload()]);
    assert.ok(together.some(({ status }) => status === 413));
    assert.ok((await kept()) <= 2);
  });
});

describe("what a server keeps for others", () => {
  let workspace: Workspace;
  useWorkspace(1, (made) => (workspace = made));

  it("is removed when it is old, and nothing else is", async () => {
    const at = (...names: string[]): string => workspace.at(".rowcall", ...names);
    const day = 24 * 3_600_000;
    const now = Date.now();
    const files = [
      { path: ["uploads", "old", "table.csv"], days: 40 },
      { path: ["uploads", "new", "table.csv"], days: 20 },
      { path: ["answers", "old.json"], days: 40 },
      { path: ["answers", "new.json"], days: 20 },
      { path: ["results", "old.csv"], days: 40 },
    ];
    for (const { path, days } of files) {
      const time = new Date(now - days * day);
      await mkdir(at(...path.slice(0, -1)), { recursive: true });
      await writeFile(at(...path), "a\n");
      await utimes(at(...path), time, time);
      if (path.length === 3) await utimes(at(...path.slice(0, -1)), time, time);
    }
    const server = await openTestServer(workspace);
    await server.end();
    assert.deepEqual(await readdir(at("uploads")), ["new"]);
    assert.deepEqual(await readdir(at("answers")), ["new.json"]);
    assert.deepEqual(await readdir(at("results")), ["old.csv"]);
  });
});
