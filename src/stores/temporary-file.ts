import { createHash, randomBytes } from "node:crypto";
import { readdir, rmdir, unlink } from "node:fs/promises";
import { readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { systemCode } from "./file-errors.ts";

const pattern = /^\.rowcall-(?:([0-9a-f]{8})-([1-9]\d*)-)?[0-9a-f]{16}\.tmp$/;
// Process ids mean something on one machine, and on it in one namespace.
const machine = createHash("sha256").update(`${hostname()} ${pidNamespace()}`).digest("hex").slice(0, 8);

/** A name for a file that is being written, which tells who writes it. */
export function temporaryName(): string {
  return `.rowcall-${machine}-${process.pid}-${randomBytes(8).toString("hex")}.tmp`;
}

/** Whether a file is one being written, or what a crash left of it. */
export function isTemporary(name: string): boolean {
  return pattern.test(name);
}

/**
 * Removes what processes of this machine that have ended left half written in a folder. What fails stays.
 *
 * @returns whether there was something of the kind
 */
export async function removeAbandoned(folder: string): Promise<boolean> {
  let isFound = false;
  for (const name of await readdir(folder).catch(() => [])) {
    const [, writtenOn, pid] = pattern.exec(name) ?? [];
    if (writtenOn !== machine || isAlive(Number(pid))) continue;
    isFound = true;
    await unlink(join(folder, name)).catch(() => {});
  }
  return isFound;
}

/** The same in each folder of a folder, where every file has one of its own; one that is empty after that goes too. */
export async function removeAbandonedBelow(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const own = join(folder, name);
    if (await removeAbandoned(own)) await rmdir(own).catch(() => {});
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (thrown) {
    // EPERM: it is somebody else's.
    return systemCode(thrown) !== "ESRCH";
  }
}

function pidNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}
