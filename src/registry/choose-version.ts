import { RowcallError } from "../core/errors.ts";
import { compareVersions, type Reference } from "../core/registry.ts";
import type { ShelfKind } from "./shelf-kind.ts";

/** A version of a name, not necessarily read yet. */
export interface Candidate<T> {
  readonly version: string;
  read(): Promise<T>;
}

/**
 * The version that a reference means: the one it names, unless that is archived; else the newest active one. A newer version
 * that cannot be read is an error: an older one might not be what was meant.
 *
 * @throws RowcallError AGENT_NOT_FOUND or TEMPLATE_NOT_FOUND, with the versions there are
 */
export async function chooseVersion<T>(
  kind: ShelfKind<T>,
  wanted: Reference,
  candidates: readonly Candidate<T>[],
): Promise<T> {
  const newestFirst = candidates.toSorted((a, b) => compareVersions(b.version, a.version));
  const others: string[] = [];
  for (const { version, read } of newestFirst) {
    if (wanted.version !== undefined && wanted.version !== version) {
      others.push(version);
      continue;
    }
    const document = await read();
    const status = kind.statusOf(document);
    if (wanted.version === undefined ? status === "active" : status !== "archived") return document;
    others.push(`${version} (${status})`);
  }
  const which = wanted.version === undefined ? "no active version" : `no version ${wanted.version} that can be used`;
  throw new RowcallError(kind.notFound, `The ${kind.noun} "${wanted.name}" has ${which}`, {
    hint: `There is ${others.join(", ")}. A version that is not archived can be named: ${wanted.name}@1.0.0.`,
    details: { versions: newestFirst.map(({ version }) => version) },
  });
}
