import { type Dirent, type Stats, createReadStream } from "node:fs";
import { readdir, stat, realpath, unlink } from "node:fs/promises";
import { join, resolve, basename, dirname, isAbsolute, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import type { ObjectInfo, ByteRange, ObjectStore } from "../core/object-store.ts";
import {
  isFileUri,
  parseFileAddress,
  explain,
  systemCode,
  type FileAddress,
  explained,
  isFolderError,
} from "./file-address.ts";
import { isTemporary, writeFileWhole } from "./file-write.ts";
import { RowcallError } from "../core/errors.ts";
import { nearest } from "../core/schema.ts";

/** Where a file store works. */
export interface FileStoreOptions {
  /** Where relative paths start. */
  readonly baseDirectory: string;
  /** Absolute path of a folder whose files are this user's alone. @default none */
  readonly privateFolder?: string;
}

/**
 * Opens the file system as a store: plain paths and `file:` URIs.
 *
 * An object's URI is in the form it was asked for in: plain paths stay plain (and relative), `file:` URIs stay `file:` URIs.
 */
export function openFileStore({ baseDirectory, privateFolder }: FileStoreOptions): ObjectStore {
  const address = (uri: string): FileAddress => parseFileAddress(uri, baseDirectory);
  const readable = async (uri: string): Promise<FileAddress> => {
    const target = address(uri);
    if (privateFolder !== undefined) await refuseOwn(target, privateFolder);
    return target;
  };
  const write: ObjectStore["write"] = async (uri, content, options = {}) => {
    const target = address(uri);
    const isPrivate = privateFolder !== undefined && isWithin(target.path, privateFolder);
    return infoOf(target.uri, await writeFileWhole(target, content, { ...options, isPrivate }));
  };
  return {
    async *read(uri, range) {
      yield* readFile(await readable(uri), range);
    },
    write,
    stat: async (uri) => {
      const { path, isFolder, uri: canonical } = address(uri);
      const found = isFolder ? undefined : await statIfThere(path, uri);
      return found === undefined || found.isDirectory() ? undefined : infoOf(canonical, found);
    },
    identify: async (uri) => {
      const { path } = address(uri);
      // Links, and names that differ in case where case does not count, lead to the same file.
      const found = await stat(path, { bigint: true }).catch(() => undefined);
      return found === undefined ? `file:${path}` : `file:${found.dev}:${found.ino}`;
    },
    list: (prefix) => listFiles(prefix, baseDirectory),
    delete: (uri) =>
      explained("delete", uri, async () => {
        try {
          await unlink(address(uri).path);
        } catch (thrown) {
          if (!isAbsence(thrown)) throw thrown;
        }
      }),
    copy: async (from, to, options) => write(to, readFile(await readable(from)), options),
  };
}

// What lies directly in a data directory and holds keys, sessions, or what is known of every run. Who names a table over an API or in a
// batch gets none of it.
const own = /^(?:server-token|endpoint-keys|audit\.jsonl|sessions|serving|(?:journal|activities|executions)\.db.*)$/i;

async function refuseOwn({ path, uri }: FileAddress, folder: string): Promise<void> {
  // A link counts as what it leads to.
  const real = (place: string): Promise<string> => realpath(place).catch(() => place);
  const [file, root] = await Promise.all([real(path), real(folder)]);
  if (!isWithin(file, root)) return;
  const [first = ""] = relative(root, file).split(sep);
  if (!own.test(first)) return;
  throw new RowcallError(
    "STORE_DENIED",
    `${uri} is a file of Rowcall itself, which is not read as a table or a document`,
    {
      hint: "In a data directory, tables lie in uploads/ and results/.",
    },
  );
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

async function* readFile(
  { path, isFolder, uri }: FileAddress,
  range: ByteRange = { start: 0 },
): AsyncGenerator<Uint8Array> {
  if (isFolder) throw isFolderError("read", uri);
  const { start, end = Number.POSITIVE_INFINITY } = range;
  try {
    // The stream's own end is inclusive. An empty range still opens the file: a missing one is an error.
    for await (const chunk of createReadStream(path, { start, end: Math.max(end - 1, start) })) {
      if (end <= start) return;
      yield chunk as Buffer;
    }
  } catch (thrown) {
    throw await withNearName(explain("read", uri, thrown), path);
  }
}

async function withNearName(error: RowcallError, path: string): Promise<RowcallError> {
  if (error.code !== "STORE_NOT_FOUND") return error;
  const names = await readdir(dirname(path)).catch(() => []);
  const near = nearest(basename(path), names);
  const hint = near === undefined ? `Looked for ${path}.` : `Did you mean "${near}"? Looked for ${path}.`;
  return error.withHint(hint);
}

interface Folder {
  readonly path: string;
  /** What its entries' URIs begin with. */
  readonly uri: string;
}

interface Entry extends Folder {
  readonly isFolder: boolean;
}

/**
 * Files whose URI begins with a prefix, in order of their URIs: `out/res` finds `out/result.csv` and `out/results/a.csv`.
 * Links to folders are not followed. A folder that is not there is an empty one.
 *
 * @throws RowcallError STORE_DENIED, STORE_FAILED
 */
async function* listFiles(prefix: string, baseDirectory: string): AsyncGenerator<ObjectInfo> {
  const { folder, uriPrefix } = splitPrefix(prefix, baseDirectory);
  yield* walk(folder, uriPrefix);
}

function splitPrefix(prefix: string, baseDirectory: string): { folder: Folder; uriPrefix: string } {
  if (isFileUri(prefix)) {
    const { path, uri, isFolder } = parseFileAddress(prefix, baseDirectory);
    const uriPrefix = isFolder && !uri.endsWith("/") ? `${uri}/` : uri;
    const parent = uriPrefix.slice(0, uriPrefix.lastIndexOf("/") + 1);
    return { folder: { path: isFolder ? path : resolve(path, ".."), uri: parent }, uriPrefix };
  }
  const slash = Math.max(prefix.lastIndexOf("/"), process.platform === "win32" ? prefix.lastIndexOf("\\") : -1);
  const parent = prefix.slice(0, slash + 1);
  return { folder: { path: resolve(baseDirectory, parent), uri: parent }, uriPrefix: prefix };
}

async function* walk(folder: Folder, uriPrefix: string): AsyncGenerator<ObjectInfo> {
  for (const entry of await entriesOf(folder)) {
    // The prefix may end inside a name.
    if (!entry.uri.startsWith(uriPrefix)) continue;
    if (entry.isFolder) {
      yield* walk(entry, uriPrefix);
    } else {
      // Deleted since, or a link that leads nowhere.
      const found = await statIfThere(entry.path, entry.uri);
      if (found?.isFile() === true) yield infoOf(entry.uri, found);
    }
  }
}

async function entriesOf(folder: Folder): Promise<readonly Entry[]> {
  let found: readonly Dirent[];
  try {
    found = await readdir(folder.path, { withFileTypes: true });
  } catch (thrown) {
    if (isAbsence(thrown)) return [];
    throw explain("list", folder.uri, thrown);
  }
  return found
    .filter(({ name }) => !isTemporary(name))
    .map((entry) => entryOf(folder, entry))
    .sort((a, b) => (a.uri < b.uri ? -1 : 1));
}

// A folder's URI ends in a slash, so that "a.csv" sorts before what is in "a/".
function entryOf(folder: Folder, entry: Dirent): Entry {
  const path = join(folder.path, entry.name);
  const isFolder = entry.isDirectory();
  const uri = isFileUri(folder.uri) ? pathToFileURL(path).href : `${folder.uri}${entry.name}`;
  return { path, isFolder, uri: isFolder ? `${uri}/` : uri };
}

async function statIfThere(path: string, uri: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (thrown) {
    if (isAbsence(thrown)) return undefined;
    throw explain("look at", uri, thrown);
  }
}

function isAbsence(thrown: unknown): boolean {
  const code = systemCode(thrown);
  return code === "ENOENT" || code === "ENOTDIR";
}

function infoOf(uri: string, { size, mtimeMs }: Stats): ObjectInfo {
  return { uri, size, modifiedAt: Math.floor(mtimeMs) };
}
