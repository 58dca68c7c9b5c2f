import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { EventEmitter } from "node:events";
import { after, before, describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { listProcesses } from "../../src/agents/process-group.ts";

import { watchForHangs } from "../../scripts/test-hangs.ts";

const runner = fileURLToPath(new URL("../../scripts/test.ts", import.meta.url));

describe("npm test", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "rowcall-hangs-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  interface Ended {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
  }

  async function run(code: string, ...limits: readonly string[]): Promise<Ended> {
    const path = join(folder, "some.test.mjs");
    await writeFile(path, `import { it } from "node:test";\nimport { spawn } from "node:child_process";\n${code}`);
    // Else the runner takes itself for a test file of the tests that it runs in.
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
    return promisify(execFile)(process.execPath, [runner, ...limits, path], { env }).then(
      (ended) => ({ code: 0, ...ended }),
      (error: Ended) => error,
    );
  }

  it("ends with the summary", async () => {
    const { code, stdout } = await run('it("a", () => {});');
    assert.equal(code, 0);
    assert.match(stdout, /tests 1\n.*\n.*pass 1\n.*fail 0\n/);
  });

  it("fails a test that takes longer than the limit", async () => {
    const { code, stdout } = await run(
      'it("for ever", () => new Promise((go) => setTimeout(go, 600_000).unref()));',
      "--limit",
      "2",
    );
    assert.equal(code, 1);
    assert.match(stdout, /test timed out after 2000ms/);
  });

  it("ends a process that stays when its tests are over, and says what it waits for", async () => {
    const { code, stdout, stderr } = await run(
      'it("leaves a child", () => void spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", "left-over"]));',
      "--exit",
      "2",
    );
    assert.equal(code, 1);
    assert.match(stderr, /the last test that ended is leaves a child/);
    const [, pid] = /process (\d+): .* left-over$/m.exec(stderr) ?? [];
    assert.ok(pid !== undefined, stderr);
    assert.match(stderr, new RegExp(`"type":"process".*"pid":${pid}`));
    while ((await listProcesses()).some((one) => one.pid === Number(pid))) await wait(20);
    assert.match(stdout, /fail 1\n/);
  });

  it("ends everything when it takes too long, and says which tests have not ended", async () => {
    const { code, stderr } = await run(
      'it("for ever", () => new Promise((go) => setTimeout(go, 600_000)));',
      "--total",
      "3",
    );
    assert.equal(code, 1);
    assert.match(stderr, /The tests took longer than 3 s\.\n.*\n.*not ended: for ever/);
  });
});

describe("a process of tests", () => {
  const group = "/tmp/group.mjs";
  const limits = { silenceMs: 700_000, exitMs: 120_000, totalMs: 5_400_000 };
  // As Node tells of a test whose `it` is in a file that the test file imports.
  const inHelper = { name: "of a contract", nesting: 0, file: "/work/contract.ts", line: 3, entryFile: group };

  it("is not at its end while a test runs that stands in another file", async (t: TestContext) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const told = t.mock.method(console, "error", () => {});
    const events = new EventEmitter();
    const watch = watchForHangs(events as Parameters<typeof watchForHangs>[0], [group], tmpdir(), limits);
    events.emit("test:dequeue", { name: group, nesting: 0, file: group });
    events.emit("test:dequeue", { ...inHelper, name: "first" });
    events.emit("test:complete", { ...inHelper, name: "first" });
    events.emit("test:dequeue", inHelper);
    t.mock.timers.tick(limits.exitMs + 1);
    assert.equal(told.mock.callCount(), 0);
    events.emit("test:complete", inHelper);
    t.mock.timers.tick(limits.exitMs + 1);
    assert.match(String(told.mock.calls[0]?.arguments[0]), /Nothing happened for 120 s/);
    watch.stop();
  });
});
