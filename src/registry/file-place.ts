import { RowcallError } from "../core/errors.ts";
import type { ObjectStore } from "../core/object-store.ts";
import { joinUri } from "../core/uri.ts";
import { fileNameOf, findShelfFiles, readShelfFile, writeShelfStatus, type ShelfFile } from "./shelf-files.ts";
import type { ShelfKind } from "./shelf-kind.ts";
import type { RegistryPart, ShelfEntry, ShelfPlace } from "./shelf-place.ts";

/**
 * A folder with `agents/` and `templates/` in it: JSON and YAML files named `{name}_v{version}.json`.
 *
 * @param directory - a path or a URI of the store
 */
export function openFilePart(store: ObjectStore, directory: string): RegistryPart {
  return { placeOf: async (kind) => openFilePlace(kind, store, directory) };
}

function openFilePlace<T>(kind: ShelfKind<T>, store: ObjectStore, directory: string): ShelfPlace<T> {
  const folder = joinUri(directory, kind.folder);
  const entryOf = (file: ShelfFile): ShelfEntry<T> => ({
    name: file.name,
    version: file.version,
    read: () => readShelfFile(store, kind, file),
    setStatus: (status) => writeShelfStatus(store, kind, file, status),
  });
  return {
    address: directory,
    find: async (name) => {
      const { files } = await findShelfFiles(store, folder);
      return files.filter((file) => file.name === name).map(entryOf);
    },
    findAll: async () => {
      const { files, strays } = await findShelfFiles(store, folder);
      return { entries: files.map(entryOf), problems: strays.map((uri) => misnamed(kind, uri)) };
    },
    add: async (document) => {
      const name = kind.nameOf(document);
      requireFileName(kind, name);
      const content = Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`);
      const uri = joinUri(folder, fileNameOf(name, kind.versionOf(document)));
      try {
        await store.write(uri, content, { ifAbsent: true, contentType: "application/json" });
        return true;
      } catch (error) {
        if (error instanceof RowcallError && error.code === "OUTPUT_EXISTS") return false;
        throw error;
      }
    },
  };
}

function misnamed<T>(kind: ShelfKind<T>, uri: string): RowcallError {
  return new RowcallError(
    kind.invalid,
    `The ${kind.noun} file ${uri} is not named after its ${kind.noun} and version`,
    {
      hint: `A name such as ${fileNameOf("lookup", "1.0.0")} is found.`,
    },
  );
}

function requireFileName<T>(kind: ShelfKind<T>, name: string): void {
  if (/^[A-Za-z0-9][\w.-]*$/.test(name)) return;
  throw new RowcallError(kind.invalid, `The ${kind.noun} name ${JSON.stringify(name)} cannot be the name of a file`, {
    hint: "Use letters, digits, dots, dashes and underscores, a letter or digit first.",
  });
}
