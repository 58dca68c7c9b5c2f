import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, RowcallError } from "../core/errors.ts";
import { privateFolder } from "../core/private-modes.ts";
import { isLocked, tryLock, type ProcessLock } from "./sqlite.ts";

/** The folder of a run that has not begun, which this process holds. */
export interface ClaimedFolder {
  readonly id: string;
  readonly lock: ProcessLock;
}

/** The folders of a data directory's runs, each with the lock of who runs it. */
export interface RunFolders {
  path(id: string): string;
  /**
   * Takes the lock of a run.
   *
   * @throws RowcallError RUN_BUSY when somebody runs it
   */
  lock(id: string): Promise<ProcessLock>;
  /** Whether somebody runs a run now. */
  isLocked(id: string): boolean;
  /** Makes a folder for a new run, under the first id that nobody has. */
  claim(createId: () => string): Promise<ClaimedFolder>;
  /**
   * Removes the folders of runs that never began because their process ended during staging. What fails is left for the next time.
   *
   * @param isNoted - whether there is such a run
   */
  sweep(isNoted: (id: string) => boolean): Promise<void>;
}

/** Opens the folders of runs in a data directory; nothing is made before a run is locked. */
export function openRunFolders(dataDirectory: string): RunFolders {
  const root = join(dataDirectory, "runs");
  const path = (id: string): string => join(root, id);
  const lockPath = (id: string): string => join(root, id, "lock.db");
  const lockIn = async (id: string): Promise<ProcessLock | undefined> => {
    await made(path(id));
    return tryLock(lockPath(id));
  };

  async function claim(createId: () => string): Promise<ClaimedFolder> {
    for (;;) {
      const id = createId();
      if (existsSync(path(id))) continue;
      const lock = await lockIn(id).catch((error: unknown) => {
        if (existsSync(path(id))) throw error;
        return undefined;
      });
      // Somebody may have swept the folder away before it was locked, or while it was; then the lock is on a file without a name.
      if (lock !== undefined && existsSync(lockPath(id))) return { id, lock };
      lock?.release();
    }
  }

  async function remove(id: string, isNoted: (id: string) => boolean): Promise<void> {
    const lock = tryLock(lockPath(id));
    if (lock === undefined) return;
    try {
      // Asked again: it may have begun before it was locked.
      if (!isNoted(id)) await rm(path(id), { recursive: true, force: true });
    } finally {
      lock.release();
    }
  }

  return {
    path,
    lock: async (id) => {
      const lock = await lockIn(id);
      if (lock !== undefined) return lock;
      throw new RowcallError("RUN_BUSY", `Run ${id} is going already, in this process or another one`, {
        hint: `Watch it with \`rowcall show ${id}\`, or end it with \`rowcall stop ${id}\`.`,
      });
    },
    isLocked: (id) => isLocked(lockPath(id)),
    claim,
    sweep: async (isNoted) => {
      const found = await readdir(root).catch(() => []);
      for (const id of found) if (!isNoted(id)) await remove(id, isNoted).catch(() => {});
    },
  };
}

async function made(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: privateFolder });
  } catch (cause) {
    throw new RowcallError("STORE_FAILED", `The folder ${folder} cannot be made: ${messageOf(cause)}`, {
      hint: "Make room on that disk and see that it can be written, or choose another folder with --data-dir.",
      cause,
    });
  }
}
