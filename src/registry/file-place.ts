import { text } from "node:stream/consumers";
import { RowcallError } from "../core/errors.ts";
import type { ObjectStore } from "../core/object-store.ts";
import { readDocument } from "../core/read-document.ts";
import type { PinnedReference } from "../core/registry.ts";
import type { PublicationStatus } from "../core/template.ts";
import { baseName, joinUri } from "../core/uri.ts";
import type { CatalogKind, RegistryPart, CatalogEntry, CatalogPlace } from "./catalog-place.ts";

/** One file of a catalog, by what its name says. */
interface CatalogFile extends PinnedReference {
  readonly uri: string;
}

const fileName = /^(?<name>.+)_v(?<version>\d+\.\d+\.\d+)\.(?:json|ya?ml)$/;

/**
 * The files in a folder of a registry and in the folders within it.
 *
 * @returns files by name and version, and the URIs of files whose name says neither
 */
async function findCatalogFiles(
  store: ObjectStore,
  folder: string,
): Promise<{ files: CatalogFile[]; others: string[] }> {
  const files: CatalogFile[] = [];
  const others: string[] = [];
  const prefix = joinUri(folder, "");
  for await (const { uri } of store.list(prefix)) {
    const { name, version } = fileName.exec(decode(baseName(uri), prefix))?.groups ?? {};
    if (name !== undefined && version !== undefined) files.push({ name, version, uri });
    else if (/\.(json|ya?ml)$/.test(uri)) others.push(uri);
  }
  return { files, others };
}

function decode(name: string, prefix: string): string {
  return /^file:/i.test(prefix) ? decodeURIComponent(name) : name;
}

/**
 * Reads one file's text and holds it to the file's name.
 *
 * @throws RowcallError AGENT_INVALID or TEMPLATE_INVALID naming the file
 */
async function parseCatalogFile<T>(kind: CatalogKind<T>, file: CatalogFile, content: string): Promise<T> {
  const what = `${kind.noun} file ${file.uri}`;
  const document = kind.parse(await readDocument(content, file.uri, kind.invalid, what), what);
  const { name, version } = kind.labelOf(document);
  if (name === file.name && version === file.version) return document;
  throw new RowcallError(kind.invalid, `The ${what} holds ${name} ${version}`, {
    hint: `Correct its content, or name it ${fileNameOf({ name, version })}.`,
  });
}

/**
 * Writes another status into a file, in the file's own format; a YAML file keeps its comments.
 *
 * @returns false when there is no such file
 * @throws RowcallError AGENT_INVALID or TEMPLATE_INVALID when it is invalid; what the store throws
 */
async function writeCatalogStatus<T>(
  store: ObjectStore,
  kind: CatalogKind<T>,
  file: CatalogFile,
  status: PublicationStatus,
): Promise<boolean> {
  try {
    const content = await text(store.read(file.uri));
    await parseCatalogFile(kind, file, content);
    const changed = file.uri.endsWith(".json")
      ? jsonWithStatus(content, status)
      : await yamlWithStatus(content, status);
    await store.write(file.uri, Buffer.from(changed));
    return true;
  } catch (thrown) {
    if (thrown instanceof RowcallError && thrown.code === "STORE_NOT_FOUND") return false;
    throw thrown;
  }
}

function jsonWithStatus(content: string, status: PublicationStatus): string {
  const value = { ...(JSON.parse(content) as object), status };
  const indent = /^\s*\{\r?\n([ \t]+)/.exec(content)?.[1] ?? 0;
  return `${JSON.stringify(value, undefined, indent)}\n`;
}

async function yamlWithStatus(content: string, status: PublicationStatus): Promise<string> {
  const { parseDocument } = await import("../core/yaml.ts");
  const document = parseDocument(content);
  document.set("status", status);
  // No line is folded that was not folded before.
  return document.toString({ lineWidth: 0 });
}

/** What a file of a catalog is called. */
function fileNameOf({ name, version }: PinnedReference): string {
  return `${name}_v${version}.json`;
}

/**
 * A folder with `agents/` and `templates/` in it: JSON and YAML files named `{name}_v{version}.json`.
 *
 * @param directory - a path or a URI of the store
 */
export function openFilePart(store: ObjectStore, directory: string): RegistryPart {
  return { placeOf: async (kind) => openFilePlace(kind, store, directory) };
}

function openFilePlace<T>(kind: CatalogKind<T>, store: ObjectStore, directory: string): CatalogPlace<T> {
  const folder = joinUri(directory, kind.folder);
  const entryOf = (file: CatalogFile): CatalogEntry<T> => ({
    ...file,
    read: async () => parseCatalogFile(kind, file, await text(store.read(file.uri))),
    setStatus: (status) => writeCatalogStatus(store, kind, file, status),
  });
  return {
    address: directory,
    find: async (name) => {
      const { files } = await findCatalogFiles(store, folder);
      return files.filter((file) => file.name === name).map(entryOf);
    },
    findAll: async () => {
      const { files, others } = await findCatalogFiles(store, folder);
      return { entries: files.map(entryOf), problems: others.map((uri) => misnamed(kind, uri)) };
    },
    add: async (document) => {
      const label = kind.labelOf(document);
      requireFileName(kind, label.name);
      const content = Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`);
      const uri = joinUri(folder, fileNameOf(label));
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

function misnamed<T>(kind: CatalogKind<T>, uri: string): RowcallError {
  return new RowcallError(
    kind.invalid,
    `The ${kind.noun} file ${uri} is not named after its ${kind.noun} and version`,
    {
      hint: `A name such as ${fileNameOf({ name: "lookup", version: "1.0.0" })} is found.`,
    },
  );
}

function requireFileName<T>(kind: CatalogKind<T>, name: string): void {
  if (/^[A-Za-z0-9][\w.-]*$/.test(name)) return;
  throw new RowcallError(kind.invalid, `The ${kind.noun} name ${JSON.stringify(name)} cannot be the name of a file`, {
    hint: "Use letters, digits, dots, dashes and underscores, a letter or digit first.",
  });
}
