import { isDeepStrictEqual } from "node:util";
import { bundledRegistry, registryAddress, type Wiring } from "../../app/wire.ts";
import { RowcallError, type ErrorCode } from "../../core/errors.ts";
import { formatReference, parseReference, type Catalog, type PinnedReference } from "../../core/registry.ts";
import { suggest, type Problem } from "../../core/schema.ts";
import type { CatalogKind } from "../../registry/catalog-place.ts";
import type { Cli } from "../cli.ts";
import { count, printJson, printLines, printWarnings } from "../print/output.ts";
import type { CatalogView, Document } from "./catalog-view.ts";
import { openReporting } from "./open-registry.ts";

/** What is copied, and where to. */
export interface CopyRequest {
  /** `name` or `name@version`; none for all but those that come with the package. */
  readonly references: readonly string[];
  /** The other registry's address. */
  readonly to: string;
  readonly json: boolean;
}

interface CopyProblem extends Problem {
  readonly code: ErrorCode;
}

/** What became of one version that was to be copied. */
interface CopyResult extends PinnedReference {
  /** `equal`: it was there already. `differs`: another one of its version is there. `failed`: it cannot be kept there. */
  readonly result: keyof typeof said;
  readonly problem?: CopyProblem;
}

const said = {
  copied: "copied",
  equal: "is there already",
  differs: "differs from what is there, not copied",
  failed: "not copied",
} as const;

/**
 * Copies documents from the registries to another one, one after the other, and says what became of each. Nothing that is there is
 * overwritten. What could not be copied is an error at the end: exit code 2.
 */
export async function copyCatalog(cli: Cli, wiring: Wiring, view: CatalogView, request: CopyRequest): Promise<void> {
  const { io } = cli;
  const { references, to, json } = request;
  const { kind, catalogOf } = view;
  const wantsAll = references.length === 0;
  const address = registryAddress(to, wiring.services.baseDirectory);
  const source = openReporting(wiring, wiring.registries, wantsAll ? undefined : bundledRegistry);
  const readable = await catalogOf(source.registry).list();
  await printWarnings(io, source.problems);
  const documents = wantsAll ? readable : chooseDocuments(kind, readable, references);

  const target = catalogOf(openReporting(wiring, [address]).registry);
  const there = new Map((await target.list()).map((document) => [keyOf(kind, document), document]));
  const results: CopyResult[] = [];
  for (const document of documents) {
    const became = await copyDocument(kind, document, there.get(keyOf(kind, document)), target);
    const { name, version } = kind.labelOf(document);
    results.push({ name, version, ...became });
    if (!json) await printLines(io.stdout, [`${keyOf(kind, document)}: ${said[became.result]}`]);
  }

  const problems = results.flatMap(({ problem }) => problem ?? []);
  if (problems.length > 0 || (wantsAll && source.problems.length > 0)) cli.setExitCode(2);
  if (json) {
    const unreadable = source.problems.map(({ message }) => message);
    return printJson(io, { registry: address, results, unreadable });
  }
  const copied = results.filter(({ result }) => result === "copied").length;
  await printLines(io.stderr, [`${count(copied, kind.noun)} copied to ${address}`]);
  const [first] = problems;
  if (first === undefined) return undefined;
  const lines = problems.map(({ path, message }) => [path, message].filter(Boolean).join(": "));
  throw new RowcallError(
    first.code,
    `${count(problems.length, kind.noun)} could not be copied to ${address}: ${lines.join("; ")}`,
    { hint: first.hint, details: { problems } },
  );
}

/**
 * The documents that references name: every version of a name, or the one that is named.
 *
 * @throws RowcallError AGENT_NOT_FOUND or TEMPLATE_NOT_FOUND when a reference names none of them
 */
function chooseDocuments(
  kind: CatalogKind<Document>,
  documents: readonly Document[],
  references: readonly string[],
): readonly Document[] {
  const chosen = references.flatMap((text) => {
    const { version } = parseReference(text);
    const known = (document: Document): string =>
      version === undefined ? kind.labelOf(document).name : keyOf(kind, document);
    const found = documents.filter((document) => known(document) === text);
    if (found.length > 0) return found;
    throw new RowcallError(kind.notFound, `There is no ${kind.noun} "${text}" to copy`, {
      hint: suggest(text, new Set(documents.map(known))),
    });
  });
  return documents.filter((document) => chosen.includes(document));
}

async function copyDocument(
  kind: CatalogKind<Document>,
  document: Document,
  present: Document | undefined,
  target: Catalog<Document>,
): Promise<Pick<CopyResult, "result" | "problem">> {
  if (present !== undefined) {
    if (isDeepStrictEqual(plain(present), plain(document))) return { result: "equal" };
    const hint = "Nothing is overwritten: raise the version, or give both the same content and status.";
    const message = "another one of this version is there already";
    return { result: "differs", problem: { code: "VERSION_EXISTS", path: keyOf(kind, document), message, hint } };
  }
  try {
    await target.publish(document);
    return { result: "copied" };
  } catch (thrown) {
    if (!(thrown instanceof RowcallError) || !ownFaults.has(thrown.code)) throw thrown;
    const { code, message, hint } = thrown;
    return { result: "failed", problem: { code, path: "", message, hint } };
  }
}

/** Errors of one document, which do not keep the next from being copied. */
const ownFaults = new Set<ErrorCode>(["VERSION_EXISTS", "AGENT_INVALID", "TEMPLATE_INVALID"]);

function keyOf(kind: CatalogKind<Document>, document: Document): string {
  return formatReference(kind.labelOf(document));
}

// As JSON has it: without undefined, and with one zero.
function plain(document: unknown): unknown {
  return JSON.parse(JSON.stringify(document)) as unknown;
}
