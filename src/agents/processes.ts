import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";

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
    return pid === undefined
      ? []
      : [{ pid: Number(pid), parent: Number(parent), group: Number(group), state, command }];
  });
}
