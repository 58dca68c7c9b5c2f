import { hash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

/** Part of a name by which what a killed process has left behind is told from what a living one uses. */
const mark = /^([0-9a-f]{6})\.(\d+)\.(\d+)-/;

/**
 * Begin of a name for something that ends with this process: the machine, the process and its start are in it.
 *
 * @param kind - begins the name, such as `rowcall-browser`
 */
export function ownedPrefix(kind: string): string {
  return `${kind}-${machine()}.${process.pid}.${startOf(process.pid) ?? 0}-`;
}

/**
 * Folders that processes of this machine and user have made under {@link ownedPrefix} and left behind when they were killed.
 *
 * @returns their paths
 */
export async function listLeftBehind(parent: string, kind: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await readdir(parent).catch(() => [])) {
    if (!name.startsWith(`${kind}-`)) continue;
    const [, where, pid, start] = mark.exec(name.slice(kind.length + 1)) ?? [];
    if (where !== machine() || isAlive(Number(pid), Number(start))) continue;
    const path = join(parent, name);
    if (await isOwnFolder(path)) found.push(path);
  }
  return found;
}

/** Returns whether a path is a folder of this user: in a temporary folder that all can write to, another's is not to be trusted. */
export async function isOwnFolder(path: string): Promise<boolean> {
  const info = await lstat(path).catch(() => undefined);
  return info?.isDirectory() === true && (process.getuid === undefined || info.uid === process.getuid());
}

// Containers may share a folder, but not their process ids.
function machine(): string {
  let namespace = "";
  try {
    namespace = readlinkSync("/proc/self/ns/pid");
  } catch {
    // Only Linux has namespaces.
  }
  return hash("sha1", `${hostname()} ${namespace}`).slice(0, 6);
}

/**
 * Returns whether a process runs on this machine.
 *
 * @param start - when it started, as the kernel counts: a later one may have its number. @default not known
 */
export function isAlive(pid: number, start = 0): boolean {
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM";
  }
  const now = startOf(pid);
  // Elsewhere than on Linux a process that got the number of a dead one keeps what that has left.
  return start === 0 || now === undefined || now === start;
}

/** When a process started, in the kernel's own count; undefined where that cannot be read, -1 for one that is dead but not buried. */
function startOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? -1 : Number(fields[19]);
  } catch {
    return undefined;
  }
}
