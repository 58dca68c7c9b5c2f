import { createHash, randomBytes } from "node:crypto";
import { readdir, rmdir, unlink, link, mkdir, open, realpath, rename, stat, type FileHandle } from "node:fs/promises";
import { readlinkSync, type Stats } from "node:fs";
import { hostname } from "node:os";
import { join, dirname } from "node:path";
import process from "node:process";
import { systemCode, type FileAddress, explained, isFolderError } from "./file-address.ts";
import { RowcallError } from "../core/errors.ts";
import { objectExists, type WriteOptions } from "../core/object-store.ts";

const pattern = /^\.rowcall-(?:([0-9a-f]{8})-([1-9]\d*)-)?[0-9a-f]{16}\.tmp$/;
// Process ids mean something on one machine, and on it in one namespace.
const machine = createHash("sha256").update(`${hostname()} ${pidNamespace()}`).digest("hex").slice(0, 8);

/** A name for a file that is being written, which tells who writes it. */
function temporaryName(): string {
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
async function removeAbandoned(folder: string): Promise<boolean> {
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

const withoutLinks = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/** How a file is written. */
export interface FileWriteOptions extends WriteOptions {
  /** Whether it, and folders made for it, are this user's alone; else the user's `umask` says. */
  readonly isPrivate: boolean;
}

/**
 * Writes a file so that readers see the whole of it or nothing: under a temporary name beside it, synced, then put in place. One that replaces
 * another is open to no more users than that was.
 *
 * @returns what was written, even if somebody has replaced or deleted it since
 * @throws RowcallError STORE_DENIED, STORE_FAILED; OUTPUT_EXISTS with `ifAbsent`; whatever `content` throws, as it is
 */
export async function writeFileWhole(
  { path, isFolder, uri }: FileAddress,
  content: Uint8Array | AsyncIterable<Uint8Array>,
  { ifAbsent = false, isPrivate }: FileWriteOptions,
): Promise<Stats> {
  const there = await stat(path).catch(() => undefined);
  if (isFolder || there?.isDirectory() === true) throw isFolderError("write", uri);
  const mode = isPrivate ? 0o600 : (there?.mode ?? 0o666) & 0o777;
  const target = await explained("write", uri, () => targetOf(there, { path, uri }, { ifAbsent, isPrivate }));
  const folder = dirname(target);
  await tidy(folder);
  const temporary = join(folder, temporaryName());
  let written: Stats;
  try {
    const file = await explained("write", uri, () => open(temporary, "wx", mode));
    try {
      await fill(file, content, uri);
      written = await explained("write", uri, () => file.stat());
    } finally {
      await file.close();
    }
    await explained("write", uri, () => (ifAbsent ? placeNew(temporary, target, uri) : rename(temporary, target)));
  } finally {
    await unlink(temporary).catch(() => {});
  }
  await syncFolder(dirname(target));
  return written;
}

// Folders that were tidied lately: to look at one before every write would cost too much where files are many.
const tidied = new Set<string>();

async function tidy(folder: string): Promise<void> {
  if (tidied.has(folder)) return;
  if (tidied.size >= 1000) tidied.clear();
  tidied.add(folder);
  await removeAbandoned(folder);
}

async function targetOf(
  there: Stats | undefined,
  { path, uri }: Pick<FileAddress, "path" | "uri">,
  { ifAbsent, isPrivate }: { readonly ifAbsent: boolean; readonly isPrivate: boolean },
): Promise<string> {
  if (there === undefined) {
    await mkdir(dirname(path), { recursive: true, mode: isPrivate ? 0o700 : 0o777 });
    return path;
  }
  if (ifAbsent) throw objectExists(uri);
  if (!there.isFile()) {
    throw new RowcallError("STORE_FAILED", `Cannot write ${uri}: it is a device or a pipe`, { hint: "Name a file." });
  }
  // A link stays a link; the file that it leads to is replaced.
  return realpath(path);
}

async function fill(file: FileHandle, content: Uint8Array | AsyncIterable<Uint8Array>, uri: string): Promise<void> {
  if (content instanceof Uint8Array) {
    await explained("write", uri, () => file.writeFile(content));
  } else {
    for await (const chunk of content) await explained("write", uri, () => file.writeFile(chunk));
  }
  await explained("write", uri, () => file.sync());
}

// A hard link fails when the name is taken, which a rename does not.
async function placeNew(temporary: string, target: string, uri: string): Promise<void> {
  try {
    await link(temporary, target);
  } catch (thrown) {
    const code = systemCode(thrown) ?? "";
    if (code === "EEXIST") throw objectExists(uri);
    if (!withoutLinks.has(code)) throw thrown;
    await placeWithoutLinks(temporary, target, uri);
  }
}

// File systems such as exFAT have no links: the name is taken by an empty file first.
async function placeWithoutLinks(temporary: string, target: string, uri: string): Promise<void> {
  try {
    await (await open(target, "wx")).close();
  } catch (thrown) {
    throw systemCode(thrown) === "EEXIST" ? objectExists(uri) : thrown;
  }
  await rename(temporary, target);
}

// The name must outlive a power cut as well as the bytes do. Windows cannot sync a folder and need not.
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  try {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Some network file systems refuse; the file is in place all the same.
  }
}
