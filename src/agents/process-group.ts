import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { within } from "./within.ts";

/** How long a killed process may take to be gone; one that waits for a dead disk never is. */
const buryMs = 5_000;
/** How long to wait for the rest of a killed group; under an init that buries nobody it is never gone. */
const groupMs = 100;

/**
 * Kills a process that leads a group of its own (spawned `detached`), and everything in that group. On Windows, which has no
 * groups, the process alone.
 *
 * @returns whether there was anything, dead processes that nobody has buried yet included
 */
export function killGroup(pid: number | undefined): boolean {
  // Zero would be this process's own group.
  if (pid === undefined || pid <= 0) return false;
  try {
    process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}

/**
 * Ends a child that leads a group of its own (spawned `detached`), for certain: it is asked, and what is left of its group after
 * a while is killed. Safe to call when it has ended already; never rejects.
 *
 * @param ask - asks it to end, such as by a signal; what it throws is of no interest
 * @param patienceMs - how long it may take to end by itself
 */
export async function endGroup(child: ChildProcess, ask: () => unknown, patienceMs: number): Promise<void> {
  const exited: Promise<unknown> = hasExited(child) ? Promise.resolve() : once(child, "exit");
  const wait = (limitMs: number): Promise<unknown> => within(exited, limitMs).catch(() => undefined);
  if (!hasExited(child)) {
    void new Promise((resolve) => resolve(ask())).catch(() => undefined);
    await wait(patienceMs);
  }
  killGroup(child.pid);
  await wait(buryMs);
  for (let waited = 0; killGroup(child.pid) && waited < groupMs; waited += 10) await delay(10);
}

/** Whether a child has ended, or never began. */
export function hasExited({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null;
}
