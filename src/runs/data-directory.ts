import { chmodSync, closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import process from "node:process";
import { privateFile, privateFolder } from "../core/private-modes.ts";
import { messageOf, RowcallError } from "../core/errors.ts";

/**
 * Makes a data directory that only its user can enter. One that is there is closed when it is `.rowcall`, which Rowcall made; of
 * another one, which may hold more, `rowcall doctor` tells.
 *
 * @throws RowcallError STORE_DENIED when it cannot be made, or belongs to another user: whoever owns it could have written its runs
 */
export function makeDataDirectory(directory: string): void {
  const me = process.getuid?.();
  try {
    mkdirSync(dirname(directory), { recursive: true });
    mkdirSync(directory, { recursive: true, mode: privateFolder });
    const { uid, mode } = statSync(directory);
    if (me !== undefined && uid !== me && uid !== 0 && me !== 0) {
      throw new RowcallError("STORE_DENIED", `The data directory ${directory} belongs to another user (${uid})`, {
        hint: "Choose a folder of your own with --data-dir or ROWCALL_DATA_DIR.",
      });
    }
    if (uid === me && isOpenToOthers(mode) && basename(directory) === ".rowcall") chmodSync(directory, privateFolder);
  } catch (cause) {
    if (cause instanceof RowcallError) throw cause;
    throw new RowcallError("STORE_DENIED", `The data directory ${directory} cannot be made: ${messageOf(cause)}`, {
      hint: "Choose a folder that can be written to with --data-dir or ROWCALL_DATA_DIR.",
      cause,
    });
  }
}

/**
 * Makes the file of a database, which SQLite would make readable for others, and closes one that is open to them; what SQLite puts
 * beside it takes its mode. What fails is left for SQLite to tell.
 *
 * @param path - file, or `:memory:`
 */
export function closeToOthers(path: string): void {
  if (path === ":memory:" || process.getuid === undefined) return;
  try {
    closeSync(openSync(path, "wx", privateFile));
    return;
  } catch {
    // It is there. To open and close it here would take locks away that this process has on it.
  }
  for (const file of [path, `${path}-wal`, `${path}-shm`, `${path}-journal`]) {
    try {
      const found = statSync(file, { throwIfNoEntry: false });
      if (found?.uid === process.getuid() && isOpenToOthers(found.mode)) chmodSync(file, privateFile);
    } catch {
      // It has gone meanwhile.
    }
  }
}

/** Whether others than its user may do anything with a file or folder. */
export function isOpenToOthers(mode: number): boolean {
  return (mode & 0o077) !== 0;
}
