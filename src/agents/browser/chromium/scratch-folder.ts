import { rmSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listLeftBehind, ownedPrefix } from "../../left-behind.ts";
import { killGroup, listProcesses } from "../../process-group.ts";

/** A temporary folder. */
export interface ScratchFolder {
  readonly path: string;
  /** Notes a browser that works in this folder: it ends when the folder goes. */
  note(browser: NotedBrowser): void;
  /** Deletes it with all that is in it; safe to call twice. */
  remove(): Promise<void>;
}

/** A browser that works in a scratch folder. */
export interface NotedBrowser {
  /** Its main process, which leads its process group. */
  readonly pid: number;
  readonly executable: string;
  /** Folder of its profile, elsewhere. */
  readonly profile?: string;
}

const kind = "rowcall-browser";
const noteName = "browser.json";
const folders = new Map<string, NotedBrowser | undefined>();

/**
 * Makes a temporary folder that is gone at the latest when this process exits by itself. Those that killed processes have left
 * behind are deleted, with browsers that still run in them.
 *
 * @param parent - where it is made
 */
export async function makeScratchFolder(parent: string = tmpdir()): Promise<ScratchFolder> {
  if (folders.size === 0) {
    process.off("exit", removeAll).on("exit", removeAll);
    await Promise.all((await listLeftBehind(parent, kind)).map(removeLeftBehind));
  }
  const path = await mkdtemp(join(parent, ownedPrefix(kind)));
  folders.set(path, undefined);
  return {
    path,
    note(browser) {
      folders.set(path, browser);
      // At once, for this process may be killed at any time.
      writeFileSync(join(path, noteName), JSON.stringify(browser));
    },
    async remove() {
      const profile = folders.get(path)?.profile;
      if (profile !== undefined) await remove(profile);
      await remove(path);
      folders.delete(path);
      if (folders.size === 0) process.off("exit", removeAll);
    },
  };
}

const hard = { recursive: true, force: true, maxRetries: 5 } as const;

// A folder that cannot be deleted must not fail what was done in it.
async function remove(path: string): Promise<void> {
  await rm(path, hard).catch(() => undefined);
}

function removeAll(): void {
  for (const [path, browser] of folders) {
    killGroup(browser?.pid);
    for (const each of [browser?.profile, path]) {
      try {
        if (each !== undefined) rmSync(each, hard);
      } catch {
        // The next process on this machine tries again.
      }
    }
  }
}

async function removeLeftBehind(path: string): Promise<void> {
  const note = await readFile(join(path, noteName), "utf8").catch(() => undefined);
  if (note !== undefined) await endLeftBehind(note);
  await remove(path);
}

/** Most browsers end by themselves when nobody listens to them any more; one that was stopped cannot. */
async function endLeftBehind(note: string): Promise<void> {
  try {
    const { pid, executable, profile } = JSON.parse(note) as NotedBrowser;
    // Its number may be another's by now.
    const members = (await listProcesses()).filter(({ group }) => group === pid);
    if (members.some(({ command }) => command.startsWith(executable))) killGroup(pid);
    if (profile !== undefined) await remove(profile);
  } catch {
    // Half a note is of a browser that was just being started, which has ended with its owner.
  }
}
