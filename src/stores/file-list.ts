import type { Dirent, Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { ObjectInfo } from "../core/object-store.ts";
import { isFileUri, parseFileAddress } from "./file-address.ts";
import { explain, systemCode } from "./file-errors.ts";
import { isTemporary } from "./temporary-file.ts";

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
export async function* listFiles(prefix: string, baseDirectory: string): AsyncGenerator<ObjectInfo> {
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
      const found = await statFile(entry);
      if (found?.isFile() === true) yield { uri: entry.uri, size: found.size, modifiedAt: Math.floor(found.mtimeMs) };
    }
  }
}

async function entriesOf(folder: Folder): Promise<readonly Entry[]> {
  let found: readonly Dirent[];
  try {
    found = await readdir(folder.path, { withFileTypes: true });
  } catch (thrown) {
    if (["ENOENT", "ENOTDIR"].includes(systemCode(thrown) ?? "")) return [];
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

async function statFile({ path, uri }: Entry): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (thrown) {
    // Deleted since, or a link that leads nowhere.
    if (systemCode(thrown) === "ENOENT") return undefined;
    throw explain("look at", uri, thrown);
  }
}
