import { execFile, type ChildProcess } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { within } from "./within.ts";

/** A process of this machine. */
export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  /** Its process group: the id of the process that leads it. */
  readonly group: number;
  /** One letter, as `ps` shows it; `T` is stopped. */
  readonly state: string;
  /** Program and arguments, joined by spaces. */
  readonly command: string;
}

/** The processes of this machine that are not dead. Empty on Windows, which has no groups. */
export async function listProcesses(): Promise<readonly ProcessFacts[]> {
  const all = process.platform === "linux" ? await readProc() : process.platform === "win32" ? [] : await askPs();
  return all.filter(({ state }) => state !== "Z" && state !== "X");
}

async function readProc(): Promise<readonly ProcessFacts[]> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(names.map(readOne));
  return found.flatMap((facts) => facts ?? []);
}

async function readOne(name: string): Promise<ProcessFacts | undefined> {
  try {
    const [stat, command] = await Promise.all([
      readFile(`/proc/${name}/stat`, "utf8"),
      readFile(`/proc/${name}/cmdline`, "utf8"),
    ]);
    // The name in the second field may hold spaces and brackets.
    const [state = "", parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return {
      pid: Number(name),
      parent: Number(parent),
      group: Number(group),
      state,
      command: command.replaceAll("\0", " ").trim(),
    };
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}

async function askPs(): Promise<readonly ProcessFacts[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,pgid=,stat=,command="], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.split("\n").flatMap((line) => {
    const [, pid, parent, group, state = "", command = ""] =
      /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S)\S*\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined) return [];
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group), state, command }];
  });
}

/** Time for a killed process to be gone; one that waits for a dead disk never is. */
const buryMs = 5_000;
/** Time for the rest of a killed group to be gone; under an init that buries nobody it never is. */
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

/** Returns whether a child has ended, or never began. */
export function hasExited({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null;
}

/** Describes how a child ended; undefined when it has not. */
export function howEnded(exitCode?: number | null, signal?: string | null): string | undefined {
  if (typeof signal === "string") return `was ended by ${signal}`;
  return typeof exitCode === "number" ? `ended with exit code ${exitCode}` : undefined;
}
