import { RowcallError, messageOf } from "../core/errors.ts";
import type { ObjectStore } from "../core/object-store.ts";
import { baseName, joinUri } from "../core/uri.ts";
import type { ShelfKind } from "./shelf-kind.ts";

/** One file of a shelf, by what its name says. */
export interface ShelfFile {
  readonly name: string;
  readonly version: string;
  readonly uri: string;
}

const fileName = /^(?<name>.+)_v(?<version>\d+\.\d+\.\d+)\.(?:json|ya?ml)$/;

/**
 * The files in a folder of a registry and in the folders within it.
 *
 * @returns files by name and version, and the URIs of files whose name says neither
 */
export async function findShelfFiles(
  store: ObjectStore,
  folder: string,
): Promise<{ files: ShelfFile[]; strays: string[] }> {
  const files: ShelfFile[] = [];
  const strays: string[] = [];
  const prefix = joinUri(folder, "");
  for await (const { uri } of store.list(prefix)) {
    const { name, version } = fileName.exec(decode(baseName(uri), prefix))?.groups ?? {};
    if (name !== undefined && version !== undefined) files.push({ name, version, uri });
    else if (/\.(json|ya?ml)$/.test(uri)) strays.push(uri);
  }
  return { files, strays };
}

function decode(name: string, prefix: string): string {
  return /^file:/i.test(prefix) ? decodeURIComponent(name) : name;
}

/**
 * Reads one file and holds it to its name.
 *
 * @throws RowcallError AGENT_INVALID or TEMPLATE_INVALID naming the file; what the store throws
 */
export async function readShelfFile<T>(store: ObjectStore, kind: ShelfKind<T>, file: ShelfFile): Promise<T> {
  const what = `${kind.noun} file ${file.uri}`;
  const text = Buffer.concat(await Array.fromAsync(store.read(file.uri))).toString("utf8");
  const document = kind.parse(await parseText(text, file.uri, kind, what), what);
  const said = `${kind.nameOf(document)} ${kind.versionOf(document)}`;
  if (said !== `${file.name} ${file.version}`) {
    throw new RowcallError(kind.invalid, `The ${what} holds ${said}`, {
      hint: `Correct its content, or name it ${fileNameOf(kind.nameOf(document), kind.versionOf(document))}.`,
    });
  }
  return document;
}

async function parseText<T>(text: string, uri: string, kind: ShelfKind<T>, what: string): Promise<unknown> {
  try {
    if (uri.endsWith(".json")) return JSON.parse(text.replace(/^\uFEFF/, "")) as unknown;
    const { parse } = await import("yaml");
    return parse(text) as unknown;
  } catch (cause) {
    throw new RowcallError(kind.invalid, `The ${what} cannot be read: ${messageOf(cause)}`, {
      hint: "Correct its syntax.",
      cause,
    });
  }
}

/** What a file of a shelf is called. */
export function fileNameOf(name: string, version: string): string {
  return `${name}_v${version}.json`;
}
