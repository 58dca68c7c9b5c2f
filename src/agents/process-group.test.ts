import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { endGroup, hasExited, killGroup, listProcesses } from "./process-group.ts";

/** A process that ignores SIGTERM, with a child of its own in its group. */
async function startStubborn(): Promise<{ readonly leader: ChildProcess; readonly childPid: number }> {
  const script = `
    process.on("SIGTERM", () => {});
    const { spawn } = await import("node:child_process");
    const child = spawn(process.execPath, ["--eval", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    console.log(child.pid);
    setInterval(() => {}, 1000);`;
  const leader = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(leader.stdout, "data")) as [Buffer];
  return { leader, childPid: Number(line.toString()) };
}

test("a process that does not end when asked is killed with its whole group", async () => {
  const { leader, childPid } = await startStubborn();
  assert.ok((await listProcesses()).some(({ pid, group }) => pid === childPid && group === leader.pid));
  leader.kill("SIGSTOP");
  await endGroup(leader, () => leader.kill("SIGTERM"), 50);
  assert.equal(leader.signalCode, "SIGKILL");
  const left = (await listProcesses()).filter(({ pid, group }) => pid === childPid || group === leader.pid);
  assert.deepEqual(left, []);
});

test("one that ends when asked ends by itself, and asking may fail", async () => {
  const child = spawn(process.execPath, ["--eval", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" });
  await once(child, "spawn");
  await endGroup(child, () => child.kill("SIGTERM"), 60_000);
  assert.equal(child.signalCode, "SIGTERM");
  await endGroup(child, () => assert.fail("it has ended already"), 60_000);

  const other = spawn(process.execPath, ["--eval", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" });
  await endGroup(other, () => Promise.reject(new Error("nobody listens")), 50);
  assert.equal(hasExited(other), true);
});

test("what never began has ended, and nothing is ever killed for it", async () => {
  const child = spawn("/no/such/program", { detached: true });
  child.on("error", () => {});
  await endGroup(child, () => assert.fail("it never began"), 60_000);
  assert.deepEqual([killGroup(undefined), killGroup(0), killGroup(-1)], [false, false, false]);
});
