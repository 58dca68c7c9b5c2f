import { hash } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

/** A temporary folder. */
export interface ScratchFolder {
  readonly path: string;
  /** Deletes it with all that is in it; safe to call twice. */
  remove(): Promise<void>;
}

const folders = new Set<string>();
// Containers may share a temporary folder, but not their process ids.
const prefix = `rowcall-browser-${hash("sha1", hostname()).slice(0, 6)}-`;

/**
 * Makes a temporary folder that is gone at the latest when this process exits by itself. Those that killed processes have left
 * behind are deleted.
 *
 * @param parent - where it is made
 */
export async function makeScratchFolder(parent: string = tmpdir()): Promise<ScratchFolder> {
  if (folders.size === 0) {
    process.off("exit", removeAll).on("exit", removeAll);
    await removeLeftBehind(parent);
  }
  const path = await mkdtemp(join(parent, `${prefix}${process.pid}-`));
  folders.add(path);
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
      folders.delete(path);
      if (folders.size === 0) process.off("exit", removeAll);
    },
  };
}

function removeAll(): void {
  for (const path of folders) rmSync(path, { recursive: true, force: true, maxRetries: 5 });
}

async function removeLeftBehind(parent: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number(name.slice(prefix.length).split("-")[0]);
    if (Number.isSafeInteger(pid) && pid > 0 && !isAlive(pid)) await removeQuietly(join(parent, name));
  }
}

// Another user's, or another process is at it already.
async function removeQuietly(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(() => undefined);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM";
  }
}
