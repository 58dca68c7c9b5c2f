import { lstatSync, mkdirSync, realpathSync, statSync, chmodSync, type Stats } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import process from "node:process";

/** Folder of what Rowcall keeps for this user and can make again: `$XDG_CACHE_HOME/rowcall`, else `~/.cache/rowcall`. */
export function userCache(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const cache = env["XDG_CACHE_HOME"];
  return join(cache === undefined || cache === "" ? join(homedir(), ".cache") : cache, "rowcall");
}

/**
 * Makes a folder that nobody but this user can enter, for files that are executed later. One that is there must be this user's, and
 * neither it nor a folder above it may be writable by others: they could have put something in, or could exchange it.
 *
 * @throws Error that says why the folder cannot be trusted, or cannot be made
 */
export function makePrivateFolder(folder: string): void {
  const path = resolve(folder);
  if (process.getuid === undefined) return void mkdirSync(path, { recursive: true });
  requireTrusted(existingAbove(path));
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const made = lstatSync(path);
  const reason = !made.isDirectory()
    ? "is not a folder"
    : made.uid !== process.getuid()
      ? `belongs to user ${made.uid}`
      : isWritableByOthers(made)
        ? "can be written by others"
        : undefined;
  if (reason !== undefined) throw new Error(`${path} ${reason}`);
  if ((made.mode & 0o077) !== 0) chmodSync(path, 0o700);
  requireTrusted(dirname(path));
}

/** The nearest folder above a path that is there. */
function existingAbove(path: string): string {
  const above = dirname(path);
  return above === path || lstatSync(above, { throwIfNoEntry: false }) !== undefined ? above : existingAbove(above);
}

function requireTrusted(folder: string): void {
  for (let path = realpathSync(folder); ; path = dirname(path)) {
    const found = statSync(path);
    if (found.uid !== 0 && found.uid !== process.getuid?.()) throw new Error(`${path} belongs to user ${found.uid}`);
    // In a sticky folder, such as /tmp, others cannot rename what is not theirs.
    const isSticky = (found.mode & 0o1000) !== 0;
    if (isWritableByOthers(found) && !isSticky) throw new Error(`${path} can be written by others`);
    if (dirname(path) === path) return;
  }
}

// A group of the user's own, as many systems have it, is not others.
function isWritableByOthers({ mode, gid }: Stats): boolean {
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== process.getgid?.());
}
