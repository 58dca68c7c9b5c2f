import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { aContext, contractConcurrency, invokerContract } from "../../test/contracts/invoker-contract.ts";
import { agentOf, anEnvironment } from "../../test/fakes/agent-environment.ts";
import type { Invoker } from "../core/agent.ts";
import { RowcallError } from "../core/errors.ts";
import { openFunctionAgent } from "./function-agent.ts";
import { listProcesses } from "./process-group.ts";

const fixture = fileURLToPath(new URL("../../test/fixtures/isolated-functions.ts", import.meta.url));

const open = (config: Readonly<Record<string, unknown>> = {}, concurrency = contractConcurrency): Promise<Invoker> =>
  openFunctionAgent(
    agentOf("function", { module: fixture, isolation: "process", ...config }),
    anEnvironment({ concurrency }),
  );

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await wait(5);
}

/** A process that has ended may be listed until somebody takes note of it: when its parent is gone, that can take minutes. */
async function isRunning(pid: number): Promise<boolean> {
  return (await listProcesses()).some((one) => one.pid === pid);
}

invokerContract("function in a process of its own", async () => {
  const marks = await mkdtemp(join(tmpdir(), "rowcall-marks-"));
  return {
    invoker: await open(),
    echo: (text) => ({ what: "echo", text }),
    fail: () => ({ what: "fail" }),
    hang: () => ({ what: "hang", marks }),
    hanging: () => until(() => existsSync(join(marks, "hanging"))),
    released: () => until(() => existsSync(join(marks, "released"))),
    close: () => rm(marks, { recursive: true }),
  };
});

describe("a function in a process of its own", () => {
  let invoker: Invoker;
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rowcall-process-"));
    // One process, so that whatever one attempt does to it, the next one sees.
    invoker = await open({ export: "misbehave", memory_mb: 64 }, 1);
  });
  afterEach(async () => {
    await invoker.close();
    await rm(folder, { recursive: true });
  });

  const pidOf = async (): Promise<unknown> => {
    const reply = (await invoker.invoke({ what: "pid" }, aContext())) as { structured_output: { echo: number } };
    return reply.structured_output.echo;
  };

  for (const [what, message] of [
    ["exit", "The agent's process ended with exit code 9"],
    ["abort", "The agent's process was ended by SIGABRT"],
    ["kill", "The agent's process was ended by SIGKILL"],
    ["hoard", "The agent's process ran out of its memory of 64 MB"],
  ] as const) {
    it(`fails the attempt that ended it (${what}), and another process makes the next one`, async () => {
      const before = await pidOf();
      await assert.rejects(invoker.invoke({ what }, aContext()), { code: "AGENT_CRASHED", message, retryable: true });
      assert.notEqual(await pidOf(), before);
    });
  }

  it("is ended when its time is up, even in a loop that never rests", async () => {
    const aborter = new AbortController();
    const file = join(folder, "pid");
    const looping = invoker.invoke({ what: "loop", file }, aContext({ signal: aborter.signal }));
    const rejected = assert.rejects(looping, { code: "TIMEOUT" });
    await until(() => existsSync(file));
    aborter.abort(new RowcallError("TIMEOUT", "Execution timeout"));
    await rejected;
    const pid = Number(await readFile(file, "utf8"));
    await until(async () => !(await isRunning(pid)));
    assert.notEqual(await pidOf(), pid);
  });

  it("ends with the process that started it, even in a loop that never rests", async () => {
    const file = join(folder, "pid");
    const script = `
      import { openFunctionAgent } from ${JSON.stringify(new URL("function-agent.ts", import.meta.url).href)};
      import { agentOf, anEnvironment } from ${JSON.stringify(new URL("../../test/fakes/agent-environment.ts", import.meta.url).href)};
      import { aContext } from ${JSON.stringify(new URL("../../test/contracts/invoker-contract.ts", import.meta.url).href)};
      const config = ${JSON.stringify({ module: fixture, export: "misbehave", isolation: "process" })};
      const invoker = await openFunctionAgent(agentOf("function", config), anEnvironment());
      await invoker.invoke(${JSON.stringify({ what: "loop", file })}, aContext());`;
    const parent = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: "inherit" });
    await until(() => existsSync(file) || parent.exitCode !== null);
    const pid = Number(await readFile(file, "utf8"));
    assert.ok(await isRunning(pid));
    parent.kill("SIGKILL");
    try {
      await until(async () => !(await isRunning(pid)));
    } finally {
      if (await isRunning(pid)) process.kill(pid, "SIGKILL");
    }
  });

  it("fails its attempt by an error that nothing catches, and goes on", async () => {
    const before = await pidOf();
    await assert.rejects(invoker.invoke({ what: "stray" }, aContext()), {
      code: "AGENT_FAILED",
      message: "nobody catches this",
    });
    assert.equal(await pidOf(), before);
  });

  it("keeps artifacts and notes steps as in the process of the run, and tells when they cannot be kept", async () => {
    const context = aContext({ row: 7 });
    assert.deepEqual(await invoker.invoke({ what: "keep" }, context), {
      structured_output: { echo: "memory:a.txt", row: 7 },
    });
    assert.deepEqual([context.saved, context.steps.map(({ name }) => name)], [["a.txt"], ["kept"]]);
    const save = async (): Promise<string> => {
      throw new RowcallError("STORE_DENIED", "not here");
    };
    const denied = { ...aContext(), artifacts: { step: () => {}, save } };
    await assert.rejects(invoker.invoke({ what: "keep" }, denied), { code: "STORE_DENIED", message: "not here" });
  });

  it("answers with what JSON says of a value, and refuses what JSON cannot say", async () => {
    assert.deepEqual(await invoker.invoke({ what: "price" }, aContext()), { structured_output: { echo: "£1.20" } });
    assert.equal(await invoker.invoke({ what: "nothing" }, aContext()), undefined);
    await assert.rejects(invoker.invoke({ what: "bigint" }, aContext()), { code: "OUTPUT_INVALID", message: /seen/ });
  });

  it("finds at once that there is no such module or export", async () => {
    await assert.rejects(open({ export: "misbehav" }), { code: "AGENT_INVALID", hint: /Did you mean "misbehave"\?/ });
    await assert.rejects(open({ module: "./none.ts" }), { code: "AGENT_INVALID", message: /is not there/ });
    await assert.rejects(openFunctionAgent(agentOf("function", { module: fixture, memory_mb: 64 }), anEnvironment()), {
      code: "AGENT_INVALID",
      message: /"isolation": "process"/,
    });
  });
});
