import { createReadStream, type Stats } from "node:fs";
import { readdir, realpath, stat, unlink } from "node:fs/promises";
import { basename, dirname, isAbsolute, relative, sep } from "node:path";
import { RowcallError } from "../core/errors.ts";
import type { ByteRange, ObjectInfo, ObjectStore } from "../core/object-store.ts";
import { nearest } from "../core/schema.ts";
import { parseFileAddress, type FileAddress } from "./file-address.ts";
import { explain, explained, isFolderError, systemCode } from "./file-errors.ts";
import { listFiles } from "./file-list.ts";
import { writeFileWhole } from "./file-write.ts";

/** Where a file store works. */
export interface FileStoreOptions {
  /** Where relative paths start. */
  readonly baseDirectory: string;
  /** Absolute path of a folder whose files are this user's alone. @default none */
  readonly privateFolder?: string;
}

const absent = new Set(["ENOENT", "ENOTDIR"]);

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
    return infoOf(target, await writeFileWhole(target, content, { ...options, isPrivate }));
  };
  return {
    async *read(uri, range) {
      yield* readFile(await readable(uri), range);
    },
    write,
    stat: async (uri) => {
      const { path, isFolder, uri: canonical } = address(uri);
      if (isFolder) return undefined;
      try {
        const found = await stat(path);
        return found.isDirectory() ? undefined : infoOf({ uri: canonical }, found);
      } catch (thrown) {
        if (absent.has(systemCode(thrown) ?? "")) return undefined;
        throw explain("look at", uri, thrown);
      }
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
          if (!absent.has(systemCode(thrown) ?? "")) throw thrown;
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
  return new RowcallError(error.code, error.message, { hint, cause: error.cause, details: error.details });
}

function infoOf({ uri }: { readonly uri: string }, { size, mtimeMs }: Stats): ObjectInfo {
  return { uri, size, modifiedAt: Math.floor(mtimeMs) };
}
