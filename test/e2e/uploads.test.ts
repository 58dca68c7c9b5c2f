import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdir, stat } from "node:fs/promises";
import { request } from "node:http";
import process from "node:process";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createWorkspace, type Workspace } from "../fakes/workspace.ts";

const byPath = (a: { readonly path: string }, b: { readonly path: string }): number => (a.path < b.path ? -1 : 1);
const cli = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

describe("uploads that break off", () => {
  let workspace: Workspace;
  const children: ChildProcess[] = [];

  before(async () => {
    workspace = await createWorkspace(1);
  });
  after(async () => {
    for (const child of children) child.kill("SIGKILL");
    await workspace.remove();
  });

  interface Server {
    readonly child: ChildProcess;
    readonly url: string;
    readonly token: string;
  }

  async function serve(): Promise<Server> {
    const child = spawn(process.execPath, [cli, "serve", "--port", "0", "--json"], {
      cwd: workspace.folder,
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    return { child, ...(JSON.parse(line) as Pick<Server, "url" | "token">) };
  }
  /** Everything below the folder of uploads: names of folders and files, and sizes. */
  async function kept(): Promise<readonly { readonly path: string; readonly size: number }[]> {
    const root = workspace.at(".rowcall", "uploads");
    const names = await readdir(root, { recursive: true }).catch(() => []);
    const found = await Promise.all(
      names.map(async (path) => ({ path, size: (await stat(`${root}/${path}`).catch(() => undefined))?.size })),
    );
    // What has gone meanwhile is not there.
    return found.flatMap(({ path, size }) => (size === undefined ? [] : [{ path, size }]));
  }
  /** Sends some of a table and leaves the rest out. */
  function begin({ url, token }: Server): ReturnType<typeof request> {
    const sent = request(`${url}/api/v1/uploads?name=half.csv`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
    });
    sent.on("error", () => {});
    sent.write(`a,b\n${"1,2\n".repeat(10_000)}`);
    return sent;
  }
  const halfWritten = async (): Promise<boolean> =>
    (await kept()).some(({ path, size }) => path.endsWith(".tmp") && size > 0);

  it("at a kill are cleaned when the server starts again, and whole ones stay", async () => {
    const first = await serve();
    const headers = { authorization: `Bearer ${first.token}` };
    const whole = await fetch(`${first.url}/api/v1/uploads?name=whole.csv`, {
      method: "POST",
      headers,
      body: "a\n1\n",
    });
    assert.ok(whole.ok);
    const before = await kept();
    assert.equal(before.length, 2);
    begin(first);
    while (!(await halfWritten())) await wait(10);
    first.child.kill("SIGKILL");
    await once(first.child, "close");
    assert.equal((await kept()).length, 4);

    await serve();
    assert.deepEqual((await kept()).toSorted(byPath), before.toSorted(byPath));
  });

  it("because the sender goes away leave nothing", async () => {
    const server = await serve();
    const before = await kept();
    const sent = begin(server);
    // Its folder and its file.
    while ((await kept()).length < before.length + 2) await wait(10);
    sent.destroy();
    while ((await kept()).length > before.length) await wait(10);
  });
});
