import { isDeepStrictEqual } from "node:util";
import { RowcallError, type ErrorCode } from "../core/errors.ts";
import { formatReference, parseReference, type PinnedReference, type Shelf } from "../core/registry.ts";
import { suggest, type Problem } from "../core/schema.ts";
import type { ShelfFace } from "./shelf-face.ts";

/** What became of one version that was to be copied. */
export interface CopyResult extends PinnedReference {
  /** `equal`: it was there already. `differs`: another one of its version is there. `failed`: it cannot be kept there. */
  readonly result: "copied" | "equal" | "differs" | "failed";
  readonly problem?: Problem & { readonly code: ErrorCode };
}

type CopyFace<T> = Pick<ShelfFace<T>, "noun" | "nameOf" | "versionOf">;

/**
 * The documents that references name: every version of a name, or the one that is named; all when there is no reference.
 *
 * @throws RowcallError AGENT_NOT_FOUND or TEMPLATE_NOT_FOUND when a reference names none of them
 */
export function chooseDocuments<T>(
  face: CopyFace<T>,
  documents: readonly T[],
  references: readonly string[],
): readonly T[] {
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
 * Copies documents to a shelf, one after the other; nothing that is there is overwritten.
 *
 * @returns what became of each, as it happens
 * @throws RowcallError when the shelf itself cannot be read or written
 */
export async function* copyDocuments<T>(
  face: CopyFace<T>,
  documents: readonly T[],
  target: Shelf<T>,
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

async function publish<T>(document: T, target: Shelf<T>): Promise<Pick<CopyResult, "result" | "problem">> {
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
