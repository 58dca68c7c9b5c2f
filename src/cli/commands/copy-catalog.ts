import { isDeepStrictEqual } from "node:util";
import { RowcallError, type ErrorCode } from "../../core/errors.ts";
import { formatReference, parseReference, type PinnedReference, type Catalog } from "../../core/registry.ts";
import { suggest, type Problem } from "../../core/schema.ts";
import type { CatalogCommands } from "./catalog-command-kind.ts";
import { bundledRegistry, registryAddress } from "../../app/wire.ts";
import type { Cli } from "../cli.ts";
import { openAlone } from "../open-registry.ts";
import { count, printJson, printLines, printWarnings } from "../print/output.ts";

/** What became of one version that was to be copied. */
export interface CopyResult extends PinnedReference {
  /** `equal`: it was there already. `differs`: another one of its version is there. `failed`: it cannot be kept there. */
  readonly result: "copied" | "equal" | "differs" | "failed";
  readonly problem?: Problem & { readonly code: ErrorCode };
}

type CopyFace<T> = Pick<CatalogCommands<T>, "noun" | "nameOf" | "versionOf">;

/**
 * The documents that references name: every version of a name, or the one that is named; all when there is no reference.
 *
 * @throws RowcallError AGENT_NOT_FOUND or TEMPLATE_NOT_FOUND when a reference names none of them
 */
function chooseDocuments<T>(face: CopyFace<T>, documents: readonly T[], references: readonly string[]): readonly T[] {
  if (references.length === 0) return documents;
  const chosen = references.map(parseReference).flatMap((wanted) => {
    const found = documents.filter(
      (document) =>
        face.nameOf(document) === wanted.name &&
        (wanted.version === undefined || wanted.version === face.versionOf(document)),
    );
    if (found.length > 0) return found;
    const known = documents.map((document) =>
      wanted.version === undefined ? face.nameOf(document) : formatReference(referenceOf(face, document)),
    );
    throw new RowcallError(
      face.noun === "agent" ? "AGENT_NOT_FOUND" : "TEMPLATE_NOT_FOUND",
      `There is no ${face.noun} "${formatReference(wanted)}" to copy`,
      { hint: suggest(formatReference(wanted), new Set(known)) },
    );
  });
  return documents.filter((document) => chosen.includes(document));
}

/**
 * Copies documents to a catalog, one after the other; nothing that is there is overwritten.
 *
 * @returns what became of each, as it happens
 * @throws RowcallError when the catalog itself cannot be read or written
 */
async function* copyDocuments<T>(
  face: CopyFace<T>,
  documents: readonly T[],
  target: Catalog<T>,
): AsyncGenerator<CopyResult> {
  const key = (document: T): string => formatReference(referenceOf(face, document));
  const there = new Map((await target.list()).map((document) => [key(document), document]));
  for (const document of documents) {
    const reference = referenceOf(face, document);
    const present = there.get(key(document));
    if (present === undefined) yield { ...reference, ...(await publish(document, target)) };
    else if (isDeepStrictEqual(plain(present), plain(document))) yield { ...reference, result: "equal" };
    else {
      const hint = "Nothing is overwritten: raise the version, or give both the same content and status.";
      const message = "another one of this version is there already";
      yield {
        ...reference,
        result: "differs",
        problem: { code: "VERSION_EXISTS", path: key(document), message, hint },
      };
    }
  }
}

async function publish<T>(document: T, target: Catalog<T>): Promise<Pick<CopyResult, "result" | "problem">> {
  try {
    await target.publish(document);
    return { result: "copied" };
  } catch (thrown) {
    if (!(thrown instanceof RowcallError) || !ownFaults.has(thrown.code)) throw thrown;
    const { code, message, hint } = thrown;
    return { result: "failed", problem: { code, path: "", message, ...(hint === undefined ? {} : { hint }) } };
  }
}

/** Errors of one document, which do not keep the next from being copied. */
const ownFaults = new Set<ErrorCode>(["VERSION_EXISTS", "AGENT_INVALID", "TEMPLATE_INVALID"]);

function referenceOf<T>(face: CopyFace<T>, document: T): PinnedReference {
  return { name: face.nameOf(document), version: face.versionOf(document) };
}

// As JSON has it: without undefined, and with one zero.
function plain(document: unknown): unknown {
  return JSON.parse(JSON.stringify(document)) as unknown;
}

const said = {
  copied: "copied",
  equal: "is there already",
  differs: "differs from what is there, not copied",
  failed: "not copied",
} as const satisfies Record<CopyResult["result"], string>;

/**
 * Copies documents from the registries to another one and says what became of each. What could not be copied is an error at the
 * end: exit code 2.
 *
 * @param references - `name` or `name@version`; none for all but those that come with the package
 * @param to - the other registry's address
 */
export async function copyCatalog<T>(
  cli: Cli,
  face: CatalogCommands<T>,
  references: readonly string[],
  to: string,
  json: boolean,
): Promise<void> {
  const wiring = await cli.wire();
  const address = registryAddress(to, wiring.services.baseDirectory);
  const source = openAlone(wiring, wiring.registries, references.length === 0 ? undefined : bundledRegistry);
  const readable = await face.catalog(source.registry).list();
  await printWarnings(cli.io, source.problems);
  const documents = chooseDocuments(face, readable, references);

  const target = face.catalog(openAlone(wiring, [address]).registry);
  const results: CopyResult[] = [];
  for await (const result of copyDocuments(face, documents, target)) {
    results.push(result);
    if (!json) await printLines(cli.io.stdout, [`${formatReference(result)}: ${said[result.result]}`]);
  }
  const problems = results.flatMap(({ problem }) => problem ?? []);
  // Who names nothing wants everything.
  const unread = references.length === 0 ? source.problems.length : 0;
  if (json) {
    await printJson(cli.io, { registry: address, results, unreadable: source.problems.map(({ message }) => message) });
    if (problems.length + unread > 0) cli.setExitCode(2);
    return;
  }
  const copied = results.filter(({ result }) => result === "copied").length;
  await printLines(cli.io.stderr, [`${count(copied, face.noun)} copied to ${address}`]);
  if (problems.length > 0) throw notCopied(face, address, problems);
  if (unread > 0) cli.setExitCode(2);
}

function notCopied<T>(
  { noun }: CatalogCommands<T>,
  address: string,
  problems: readonly NonNullable<CopyResult["problem"]>[],
): RowcallError {
  const [first] = problems;
  const lines = problems.map(({ path, message }) => [path, message].filter(Boolean).join(": "));
  return new RowcallError(
    first?.code ?? "VERSION_EXISTS",
    `${count(problems.length, noun)} could not be copied to ${address}: ${lines.join("; ")}`,
    { ...(first?.hint === undefined ? {} : { hint: first.hint }), details: { problems } },
  );
}
