import { bundledRegistry } from "../../app/wire.ts";
import { RowcallError } from "../../core/errors.ts";
import type { ObjectStore } from "../../core/object-store.ts";
import { jsonLine } from "../../core/printable.ts";
import { parseReference } from "../../core/registry.ts";
import { readDocument } from "../../core/read-document.ts";
import type { PublicationStatus } from "../../core/template.ts";
import type { Cli } from "../cli.ts";
import { write } from "../io.ts";
import { printJson, printLines, printTable, printWarnings } from "../print/output.ts";
import { catalogViews, type CatalogView } from "./catalog-view.ts";
import { copyCatalog } from "./copy-catalog.ts";
import { openReporting } from "./open-registry.ts";

type Json = true | undefined;

/** What can be done with the documents of one kind; each prints what came of it. */
export interface CatalogActions {
  list(json: Json): Promise<void>;
  show(reference: string, json: Json): Promise<void>;
  validate(paths: readonly string[], json: Json): Promise<void>;
  publish(path: string, json: Json): Promise<void>;
  setStatus(reference: string, status: PublicationStatus, json: Json): Promise<void>;
  copy(references: readonly string[], to: string, json: Json): Promise<void>;
}

/** Opens the catalog that the user chose. */
export async function openCatalogActions(cli: Cli, noun: "agent" | "template"): Promise<CatalogActions> {
  const { io } = cli;
  const view = catalogViews[noun];
  const { kind } = view;
  const wiring = await cli.wire();
  const { registry, problems } = openReporting(wiring, wiring.registries, bundledRegistry);
  const catalog = view.catalogOf(registry);
  const print = (json: Json, value: unknown, lines: readonly string[]): Promise<void> =>
    json === true ? printJson(io, value) : printLines(io.stdout, lines);
  return {
    list: async (json) => {
      const documents = await catalog.list();
      if (json === true) await printJson(io, documents);
      else if (documents.length === 0) await printLines(io.stderr, [`There is no ${noun} in the registry.`]);
      else await printTable(io, io.stdout, view.head, documents.map(view.cells));
      await printWarnings(io, problems);
    },
    show: async (reference, json) => {
      const document = await catalog.resolve(parseReference(reference));
      await write(io.stdout, jsonLine(document, json === true ? undefined : 2));
    },
    validate: async (paths, json) => {
      const valid: { file: string; name: string; version: string }[] = [];
      for (const file of paths) {
        const document = await readFile(wiring.services.store, file, view);
        const { name, version } = kind.labelOf(document);
        valid.push({ file, name, version });
      }
      const lines = valid.map(({ file, name, version }) => `${file}: ${name}@${version} is valid`);
      await print(json, valid, lines);
    },
    publish: async (path, json) => {
      const document = await readFile(wiring.services.store, path, view);
      const { name, version } = kind.labelOf(document);
      const address = await catalog.publish(document);
      await print(json, { name, version, registry: address }, [`Published ${name}@${version} in ${address}`]);
    },
    setStatus: async (reference, status, json) => {
      const { name, version } = parseReference(reference);
      if (version === undefined) {
        throw new RowcallError("USAGE_INVALID", `"${reference}" names no version`, {
          hint: `Write it with its version: ${name}@1.0.0. \`rowcall ${noun}s\` lists them.`,
        });
      }
      const address = await catalog.setStatus({ name, version }, status);
      const line = `${name}@${version} in ${address} is ${status}`;
      await print(json, { name, version, status, registry: address }, [line]);
    },
    copy: (references, to, json) => copyCatalog(cli, wiring, view, { references, to, json: json === true }),
  };
}

/** Reads a document from a file. @throws RowcallError when there is none, or something is wrong with it */
async function readFile<T>(store: ObjectStore, path: string, { kind, validate }: CatalogView<T>): Promise<T> {
  const what = `${kind.noun} file ${path}`;
  let bytes: Buffer;
  try {
    bytes = Buffer.concat(await Array.fromAsync(store.read(path)));
  } catch (cause) {
    if (!(cause instanceof RowcallError) || cause.code !== "STORE_NOT_FOUND") throw cause;
    throw new RowcallError(kind.notFound, `There is no ${what}`, { hint: "Check the path.", cause });
  }
  return validate(await readDocument(bytes.toString("utf8"), path, kind.invalid, what), what);
}
