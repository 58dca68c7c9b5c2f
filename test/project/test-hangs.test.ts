import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { listProcesses } from "../../src/agents/process-group.ts";

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
