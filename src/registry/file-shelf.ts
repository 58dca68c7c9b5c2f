import { RowcallError } from "../core/errors.ts";
import { compareVersions, formatReference, type Reference, type Shelf } from "../core/registry.ts";
import { suggest } from "../core/schema.ts";
import { joinUri } from "../core/uri.ts";
import { chooseVersion } from "./choose-version.ts";
import type { FileRegistryOptions } from "./file-registry-options.ts";
import { fileNameOf, findShelfFiles, readShelfFile, type ShelfFile } from "./shelf-files.ts";
import type { ShelfKind } from "./shelf-kind.ts";

/** Opens one kind of document in the folders of a file registry. */
export function openFileShelf<T>(kind: ShelfKind<T>, options: FileRegistryOptions): Shelf<T> {
  const { store, directories } = options;
  const folders = directories.map((directory) => joinUri(directory, kind.folder));
  const read = (file: ShelfFile): Promise<T> => readShelfFile(store, kind, file);

  // Where two folders hold the same version of a name, the earlier folder's counts.
  const findAll = async (): Promise<{ files: ShelfFile[]; strays: string[] }> => {
    const found = await Promise.all(folders.map((folder) => findShelfFiles(store, folder)));
    const byKey = new Map(
      found
        .toReversed()
        .flatMap(({ files }) => files.toReversed().map((file) => [`${file.name}@${file.version}`, file])),
    );
    return { files: [...byKey.values()], strays: found.flatMap(({ strays }) => strays) };
  };

  const readAll = async (): Promise<{ documents: T[]; problems: RowcallError[] }> => {
    const { files, strays } = await findAll();
    const results = await Promise.allSettled(files.map(read));
    const documents = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    const problems = results.flatMap((result) => (result.status === "rejected" ? [ownError(result.reason)] : []));
    return { documents: sorted(kind, documents), problems: [...strays.map((uri) => misnamed(kind, uri)), ...problems] };
  };

  return {
    resolve: async (reference) => {
      const { files } = await findAll();
      const versions = files.filter(({ name }) => name === reference.name);
      if (versions.length > 0) {
        return chooseVersion(
          kind,
          reference,
          versions.map((file) => ({ version: file.version, read: () => read(file) })),
        );
      }
      const { documents } = await readAll();
      const aliased = aliasedDocuments(kind, documents, reference.name);
      if (aliased.length === 0) throw notFound(kind, documents, reference, folders);
      return chooseVersion(
        kind,
        reference,
        aliased.map((document) => ({ version: kind.versionOf(document), read: async () => document })),
      );
    },

    list: async () => {
      const { documents, problems } = await readAll();
      for (const problem of problems) {
        if (options.onProblem === undefined) throw problem;
        options.onProblem(problem);
      }
      return documents;
    },

    publish: async (document) => {
      const [name, version] = [kind.nameOf(document), kind.versionOf(document)];
      const [folder] = folders;
      if (folder === undefined)
        throw new RowcallError("USAGE_INVALID", "There is no registry to publish to", { hint: "Name its folder." });
      requireFileName(kind, name);
      const { files } = await findAll();
      if (files.some((file) => file.name === name && file.version === version))
        throw versionExists(kind, name, version);
      const content = Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`);
      try {
        await store.write(joinUri(folder, fileNameOf(name, version)), content, {
          ifAbsent: true,
          contentType: "application/json",
        });
      } catch (error) {
        throw ownError(error).code === "OUTPUT_EXISTS" ? versionExists(kind, name, version) : error;
      }
    },
  };
}

function sorted<T>(kind: ShelfKind<T>, documents: readonly T[]): T[] {
  const byName = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
  return documents.toSorted(
    (a, b) => byName(kind.nameOf(a), kind.nameOf(b)) || compareVersions(kind.versionOf(a), kind.versionOf(b)),
  );
}

function aliasedDocuments<T>(kind: ShelfKind<T>, documents: readonly T[], alias: string): T[] {
  const aliased = documents.filter((document) => kind.aliasesOf(document).includes(alias));
  const owners = [...new Set(aliased.map(kind.nameOf))];
  if (owners.length <= 1) return aliased;
  throw new RowcallError(
    kind.invalid,
    `The alias "${alias}" belongs to more than one ${kind.noun}: ${owners.join(", ")}`,
    {
      hint: `Name the ${kind.noun} itself.`,
    },
  );
}

function notFound<T>(
  kind: ShelfKind<T>,
  documents: readonly T[],
  wanted: Reference,
  folders: readonly string[],
): RowcallError {
  const names = [...new Set(documents.flatMap((document) => [kind.nameOf(document), ...kind.aliasesOf(document)]))];
  return new RowcallError(kind.notFound, `There is no ${kind.noun} "${formatReference(wanted)}" in the registry`, {
    hint: `${suggest(wanted.name, names)} Looked in ${folders.join(", ")}.`,
    details: { names },
  });
}

function ownError(thrown: unknown): RowcallError {
  if (thrown instanceof RowcallError) return thrown;
  throw thrown;
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

function versionExists<T>(kind: ShelfKind<T>, name: string, version: string): RowcallError {
  return new RowcallError("VERSION_EXISTS", `Version ${version} of the ${kind.noun} "${name}" is published already`, {
    hint: "A version is never overwritten: raise the version.",
  });
}

function requireFileName<T>(kind: ShelfKind<T>, name: string): void {
  if (/^[A-Za-z0-9][\w.-]*$/.test(name)) return;
  throw new RowcallError(kind.invalid, `The ${kind.noun} name ${JSON.stringify(name)} cannot be the name of a file`, {
    hint: "Use letters, digits, dots, dashes and underscores, a letter or digit first.",
  });
}
