import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import { after, before, describe, it } from "node:test";
import { RowcallError } from "../../../core/errors.ts";
import { findChromium, type ChromiumBinary } from "./chromium.ts";
import { listProcesses, type ProcessFacts } from "../../process-group.ts";
import { openBrowserPool, type BrowserPool } from "./pool.ts";

const never = new AbortController().signal;
let binary: ChromiumBinary;
let temporary: string;
const usualTemporary = process.env["TMPDIR"];

/** The browser's process and those that it has started. */
async function membersOf(pid: number): Promise<readonly ProcessFacts[]> {
  return (await listProcesses()).filter(({ group }) => group === pid);
}

function isRenderer({ command }: ProcessFacts): boolean {
  return command.includes("--type=renderer");
}

/** Whether any process of the browser's group still runs. */
async function lives(pid: number): Promise<boolean> {
  return (await membersOf(pid)).length > 0;
}

async function liveOnes(pids: Iterable<number>): Promise<readonly number[]> {
  const found: number[] = [];
  for (const pid of pids) if (await lives(pid)) found.push(pid);
  return found;
}

async function pidOf(pool: BrowserPool): Promise<number> {
  await pool.withContext({}, never, async () => undefined);
  return pool.pids[0]!;
}

/** Two, counted by a page; undefined when the browser failed. */
async function sum(pool: BrowserPool): Promise<unknown> {
  const counted = pool.withContext({}, never, async (context, promptly) => {
    const page = await promptly(context.newPage());
    return page.evaluate("1 + 1");
  });
  return counted.catch((thrown: unknown) => {
    assert.equal((thrown as RowcallError).code, "BROWSER_CRASHED");
  });
}

describe("browser pool", () => {
  before(async () => {
    binary = await findChromium({});
    temporary = await mkdtemp(join(tmpdir(), "rowcall-pool-test-"));
    process.env["TMPDIR"] = temporary;
  });
  after(async () => {
    if (usualTemporary === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = usualTemporary;
    await rm(temporary, { recursive: true });
  });

  it("starts no browser before it is needed, and one browser for contexts that run at once", async () => {
    const pool = openBrowserPool({ binary, concurrency: 3 });
    assert.deepEqual(pool.pids, []);
    const browsers = await Promise.all(
      [1, 2, 3].map(() => pool.withContext({}, never, async (context) => context.browser())),
    );
    assert.equal(new Set(browsers).size, 1);
    assert.equal(pool.pids.length, 1);
    await pool.close();
  });

  it("gives every attempt cookies of its own", async () => {
    const pool = openBrowserPool({ binary, concurrency: 1 });
    await pool.withContext({}, never, (context) =>
      context.addCookies([{ name: "a", value: "1", url: "http://site.test" }]),
    );
    const cookies = await pool.withContext({}, never, (context) => context.cookies());
    assert.deepEqual(cookies, []);
    await pool.close();
  });

  it("runs no more contexts at once than its concurrency", async () => {
    const pool = openBrowserPool({ binary, concurrency: 2 });
    let atOnce = 0;
    let most = 0;
    const rows = [1, 2, 3, 4, 5].map(() =>
      pool.withContext({}, never, async (context) => {
        most = Math.max(most, (atOnce += 1));
        await context.newPage();
        atOnce -= 1;
      }),
    );
    await Promise.all(rows);
    assert.equal(most, 2);
    await pool.close();
  });

  it("lets more in at once when it is widened, and those who wait at once", async () => {
    const pool = openBrowserPool({ binary, concurrency: 1 });
    const all = Promise.withResolvers<void>();
    let inside = 0;
    const rows = [1, 2, 3].map(() =>
      pool.withContext({}, never, async () => {
        if ((inside += 1) === 3) all.resolve();
        await all.promise;
      }),
    );
    pool.widen(2);
    pool.widen(3);
    await Promise.all(rows);
    await pool.close();
  });

  it("changes to a fresh process after its number of rows, and lets what is under way end in the old one", async () => {
    const pool = openBrowserPool({ binary, concurrency: 2, recycleAfterRows: 2 });
    const release = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const slow = pool.withContext({}, never, async (context) => {
      const page = await context.newPage();
      started.resolve();
      await release.promise;
      return page.evaluate("6 * 7");
    });
    await started.promise;
    const first = pool.pids[0]!;
    await pool.withContext({}, never, async () => undefined);
    await pool.withContext({}, never, async () => undefined);
    assert.equal(pool.pids.length, 2);
    release.resolve();
    assert.equal(await slow, 42);
    await pool.close();
    assert.equal(await lives(first), false);
  });

  it("fails the attempts of a browser that crashed, and only those", async () => {
    const pool = openBrowserPool({ binary, concurrency: 2 });
    const pid = await pidOf(pool);
    const attempt = pool.withContext({}, never, async (context) => {
      const page = await context.newPage();
      process.kill(pid, "SIGKILL");
      await page.evaluate("new Promise(() => {})");
    });
    await assert.rejects(
      attempt,
      (error) => error instanceof RowcallError && error.code === "BROWSER_CRASHED" && error.retryable,
    );
    assert.equal(await pool.withContext({}, never, async (context) => (await context.newPage()).evaluate("1 + 1")), 2);
    assert.notEqual(pool.pids.at(-1), pid);
    await pool.close();
  });

  it("closes the context at once when the signal is aborted, also in the middle of a page that never answers", async () => {
    const pool = openBrowserPool({ binary, concurrency: 1 });
    const aborter = new AbortController();
    const attempt = pool.withContext({}, aborter.signal, async (context) => {
      const page = await context.newPage();
      setImmediate(() => aborter.abort(new Error("time is up")));
      await page.evaluate("for (;;) {}");
    });
    await assert.rejects(attempt, /time is up/);
    assert.equal(await pool.withContext({}, never, async (context) => (await context.newPage()).evaluate("1 + 1")), 2);
    await pool.close();
  });

  it("gives up waiting for a turn when the signal is aborted", async () => {
    const pool = openBrowserPool({ binary, concurrency: 1 });
    const release = Promise.withResolvers<void>();
    const first = pool.withContext({}, never, () => release.promise);
    const aborter = new AbortController();
    const second = pool.withContext({}, aborter.signal, async () => assert.fail("had no turn"));
    aborter.abort(new Error("time is up"));
    await assert.rejects(second, /time is up/);
    release.resolve();
    await first;
    await pool.close();
  });

  it("leaves neither processes nor folders behind", async () => {
    const pool = openBrowserPool({ binary, concurrency: 4, recycleAfterRows: 3 });
    const pids = new Set<number>();
    for (let row = 0; row < 7; row += 1) {
      await pool.withContext({}, never, async (context) => void (await context.newPage()));
      for (const pid of pool.pids) pids.add(pid);
    }
    await pool.close();
    await pool.close();
    assert.equal(pids.size, 3);
    assert.deepEqual(await liveOnes(pids), []);
    assert.deepEqual(await readdir(temporary), []);
  });

  it("leaves no folders behind when the program exits with a browser open", async () => {
    const script = `
      const { openBrowserPool } = await import(${JSON.stringify(new URL("pool.ts", import.meta.url).href)});
      const pool = openBrowserPool({ binary: ${JSON.stringify(binary)}, concurrency: 1 });
      await pool.withContext({}, new AbortController().signal, async () => undefined);
      process.exit(0);
    `;
    await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
    assert.deepEqual(await readdir(temporary), []);
  });

  it("leaves neither processes nor folders behind after a crash", async () => {
    const pool = openBrowserPool({ binary, concurrency: 1 });
    const pid = await pidOf(pool);
    process.kill(pid, "SIGKILL");
    await pool.close();
    assert.equal(await lives(pid), false);
    assert.deepEqual(await readdir(temporary), []);
  });

  it("notices a browser that is frozen, fails what is in flight in it, and goes on in another one", async () => {
    const pool = openBrowserPool({ binary, concurrency: 2, patienceMs: 5000 });
    const frozen = await pidOf(pool);
    const inFlight = [1, 2].map(() =>
      pool.withContext({}, never, async (context, promptly) => {
        const page = await promptly(context.newPage());
        process.kill(frozen, "SIGSTOP");
        await page.evaluate("1 + 1");
        await promptly(context.newPage());
      }),
    );
    for (const { status, reason } of (await Promise.allSettled(inFlight)) as PromiseRejectedResult[]) {
      assert.equal(status, "rejected");
      assert.equal((reason as RowcallError).code, "BROWSER_CRASHED");
    }
    while ((await sum(pool)) !== 2);
    assert.notEqual(pool.pids.at(-1), frozen);
    await pool.close();
    assert.equal(await lives(frozen), false);
    assert.deepEqual(await readdir(temporary), []);
  });

  it("takes another browser when one opens no page any more", { skip: process.platform !== "linux" }, async () => {
    const pool = openBrowserPool({ binary, concurrency: 1, patienceMs: 5000 });
    const pid = await pidOf(pool);
    // Renderers are forked from this one.
    const zygotes = (await membersOf(pid)).filter(({ command }) => command.includes("--type=zygote"));
    assert.notEqual(zygotes.length, 0);
    for (const zygote of zygotes) process.kill(zygote.pid, "SIGSTOP");
    const opened = pool.withContext({}, never, (context, promptly) => promptly(context.newPage()));
    await assert.rejects(opened, { code: "BROWSER_CRASHED", message: "The browser opened no page within 5 s" });
    while ((await sum(pool)) !== 2);
    assert.notEqual(pool.pids.at(-1), pid);
    await pool.close();
    assert.equal(await lives(pid), false);
  });

  it("says that the browser crashed when a page's process is killed while it opens", async () => {
    const pool = openBrowserPool({ binary, concurrency: 1 });
    const pid = await pidOf(pool);
    for (let crash = 0; crash < 3; crash += 1) {
      const opened = pool
        .withContext({}, never, async (context, promptly) => {
          const page = await promptly(context.newPage());
          await page.waitForEvent("crash");
          await page.evaluate("1 + 1");
        })
        .catch((thrown: unknown) => (thrown as RowcallError).code);
      let renderers: readonly ProcessFacts[] = [];
      while (renderers.length === 0) renderers = (await membersOf(pid)).filter(isRenderer);
      for (const renderer of renderers) process.kill(renderer.pid, "SIGKILL");
      assert.equal(await opened, "BROWSER_CRASHED");
    }
    await pool.close();
  });

  it("takes a fresh browser after an attempt whose time was up, for the browser may be the slow one", async () => {
    const pool = openBrowserPool({ binary, concurrency: 1 });
    const pid = await pidOf(pool);
    const aborter = new AbortController();
    const attempt = pool.withContext({}, aborter.signal, async () => {
      aborter.abort(new RowcallError("TIMEOUT", "Execution timeout"));
      await new Promise(() => {});
    });
    await assert.rejects(attempt, { code: "TIMEOUT" });
    assert.notEqual(await pidOf(pool), pid);
    await pool.close();
  });

  it("says which browser does not start, and why", async () => {
    const pool = openBrowserPool({ binary: { ...binary, path: "/bin/false" }, concurrency: 1 });
    await assert.rejects(
      pool.withContext({}, never, async () => undefined),
      { code: "BROWSER_CRASHED", message: "The browser /bin/false does not start: it ended with exit code 1" },
    );
    await pool.close();
  });

  it("deletes what a killed process has left in the temporary folder, and the browser it left frozen", async () => {
    const script = `
      const { openBrowserPool } = await import(${JSON.stringify(new URL("pool.ts", import.meta.url).href)});
      const pool = openBrowserPool({ binary: ${JSON.stringify(binary)}, concurrency: 1 });
      await pool.withContext({}, new AbortController().signal, async (context) => context.newPage());
      process.kill(pool.pids[0], "SIGSTOP");
      process.stdout.write(String(pool.pids[0]), () => process.kill(process.pid, "SIGKILL"));
      await new Promise(() => {});
    `;
    const output = await new Promise<string>((resolve) => {
      execFile(process.execPath, ["--input-type=module", "--eval", script], (_error, stdout) => resolve(stdout));
    });
    assert.equal(await lives(Number(output)), true);
    assert.notDeepEqual(await readdir(temporary), []);

    const pool = openBrowserPool({ binary, concurrency: 1 });
    await pidOf(pool);
    while (await lives(Number(output))) await nextTurn();
    await pool.close();
    assert.deepEqual(await readdir(temporary), []);
  });

  for (const ending of [
    "process.exit(0)",
    "process.kill(process.pid, 'SIGTERM')",
    "process.kill(process.pid, 'SIGKILL')",
  ]) {
    it(`leaves no process behind when the program ends by ${ending}`, async () => {
      const script = `
        const { openBrowserPool } = await import(${JSON.stringify(new URL("pool.ts", import.meta.url).href)});
        const pool = openBrowserPool({ binary: ${JSON.stringify(binary)}, concurrency: 1 });
        await pool.withContext({}, new AbortController().signal, async () => undefined);
        process.stdout.write(String(pool.pids[0]), () => ${ending});
        await new Promise(() => {});
      `;
      const output = await new Promise<string>((resolve) => {
        execFile(process.execPath, ["--input-type=module", "--eval", script], (_error, stdout) => resolve(stdout));
      });
      assert.match(output, /^\d+$/);
      // The browser notices by itself that its pipe is gone.
      while (await lives(Number(output))) await nextTurn();
    });
  }
});
