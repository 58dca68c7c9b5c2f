import { RowcallError } from "../core/errors.ts";
import {
  compareVersions,
  type Reference,
  formatReference,
  type PinnedReference,
  type Catalog,
} from "../core/registry.ts";
import type { CatalogKind, RegistryPart, CatalogEntry, CatalogPlace } from "./catalog-place.ts";
import { suggest } from "../core/schema.ts";

/**
 * The version that a reference means: the one it names, unless that is archived; else the newest active one. A newer version
 * that cannot be read is an error: an older one might not be what was meant.
 *
 * @throws RowcallError AGENT_NOT_FOUND or TEMPLATE_NOT_FOUND, with the versions there are
 */
async function chooseVersion<T>(
  kind: CatalogKind<T>,
  wanted: Reference,
  candidates: readonly Pick<CatalogEntry<T>, "version" | "read">[],
): Promise<T> {
  const newestFirst = candidates.toSorted((a, b) => compareVersions(b.version, a.version));
  const others: string[] = [];
  for (const { version, read } of newestFirst) {
    if (wanted.version !== undefined && wanted.version !== version) {
      others.push(version);
      continue;
    }
    const document = await read();
    const { status } = kind.labelOf(document);
    if (wanted.version === undefined ? status === "active" : status !== "archived") return document;
    others.push(`${version} (${status})`);
  }
  const which = wanted.version === undefined ? "no active version" : `no version ${wanted.version} that can be used`;
  throw new RowcallError(kind.notFound, `The ${kind.noun} "${wanted.name}" has ${which}`, {
    hint: `There is ${others.join(", ")}. A version that is not archived can be named: ${wanted.name}@1.0.0.`,
    details: { versions: newestFirst.map(({ version }) => version) },
  });
}

/** What a catalog stands on. */
export interface CatalogOptions {
  /** Where two hold the same version of a name, the earlier one counts. The first that can hold the kind is published to. */
  readonly parts: readonly RegistryPart[];
  /** Read after all others and never written. */
  readonly bundled?: RegistryPart;
  /** Told by `list` of each document that cannot be read, which is then left out. @default `list` throws the first */
  readonly onProblem?: (problem: RowcallError) => void;
}

interface Places<T> {
  readonly all: readonly CatalogPlace<T>[];
  /** Where publish writes. */
  readonly target: CatalogPlace<T> | undefined;
}

interface Found<T> extends CatalogEntry<T> {
  readonly place: CatalogPlace<T>;
}

/** Opens one kind of document over all parts of a registry. Nothing is kept in memory: what is added is found. */
export function openCatalog<T>(kind: CatalogKind<T>, options: CatalogOptions): Catalog<T> {
  const places = async (): Promise<Places<T>> => {
    const { parts, bundled } = options;
    const own = await Promise.all(parts.map((part) => part.placeOf(kind)));
    const all = [...own, await bundled?.placeOf(kind)];
    return { all: all.filter((place) => place !== undefined), target: own.find((place) => place !== undefined) };
  };

  return {
    resolve: async (reference) => {
      const { all } = await places();
      const named = await find(all, reference.name);
      if (named.length > 0) return chooseVersion(kind, reference, named);
      const { documents } = await readAll(kind, all);
      const aliased = aliasedDocuments(kind, documents, reference.name);
      if (aliased.length === 0) throw notFound(kind, documents, reference, all);
      return chooseVersion(
        kind,
        reference,
        aliased.map((document) => ({ version: kind.labelOf(document).version, read: async () => document })),
      );
    },

    list: async () => {
      const { documents, problems } = await readAll(kind, (await places()).all);
      for (const problem of problems) {
        if (options.onProblem === undefined) throw problem;
        options.onProblem(problem);
      }
      return documents;
    },

    publish: async (document) => {
      const { name, version } = kind.labelOf(document);
      const { all, target } = await places();
      if (target === undefined) throw noTarget(kind);
      const isThere = (await find(all, name)).some((entry) => entry.version === version);
      if (isThere || !(await target.add(document))) throw versionExists(kind, { name, version });
      return target.address;
    },

    setStatus: async (reference, status) => {
      const { all, target } = await places();
      const versions = await find(all, reference.name);
      if (versions.length === 0) throw notFound(kind, (await readAll(kind, all)).documents, reference, all);
      const entry = versions.find(({ version }) => version === reference.version);
      if (entry === undefined) throw versionNotFound(kind, reference, versions);
      if (entry.place !== target) throw livesElsewhere(kind, reference, entry.place, target);
      if (!(await entry.setStatus(status))) throw versionNotFound(kind, reference, versions);
      return target.address;
    },
  };
}

async function find<T>(places: readonly CatalogPlace<T>[], name: string): Promise<Found<T>[]> {
  return firstOfEach(
    await Promise.all(places.map(async (place) => (await place.find(name)).map((entry) => ({ ...entry, place })))),
  );
}

async function readAll<T>(
  kind: CatalogKind<T>,
  places: readonly CatalogPlace<T>[],
): Promise<{ documents: T[]; problems: RowcallError[] }> {
  const found = await Promise.all(places.map((place) => place.findAll()));
  const results = await Promise.allSettled(
    firstOfEach(found.map(({ entries }) => entries)).map((entry) => entry.read()),
  );
  const documents = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const invalid = results.flatMap((result) => (result.status === "rejected" ? [ownError(result.reason)] : []));
  return { documents: sorted(kind, documents), problems: [...found.flatMap(({ problems }) => problems), ...invalid] };
}

// Where two hold the same version of a name, the earlier one's counts.
function firstOfEach<E extends PinnedReference>(entries: readonly (readonly E[])[]): E[] {
  const byKey = new Map<string, E>();
  for (const entry of entries.flat()) {
    const key = formatReference(entry);
    if (!byKey.has(key)) byKey.set(key, entry);
  }
  return [...byKey.values()];
}

function sorted<T>(kind: CatalogKind<T>, documents: readonly T[]): T[] {
  return documents.toSorted((one, other) => {
    const [a, b] = [kind.labelOf(one), kind.labelOf(other)];
    return a.name === b.name ? compareVersions(a.version, b.version) : a.name < b.name ? -1 : 1;
  });
}

function aliasedDocuments<T>(kind: CatalogKind<T>, documents: readonly T[], alias: string): T[] {
  const aliased = documents.filter((document) => kind.labelOf(document).aliases.includes(alias));
  const owners = [...new Set(aliased.map((document) => kind.labelOf(document).name))];
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
  kind: CatalogKind<T>,
  documents: readonly T[],
  wanted: Reference,
  places: readonly CatalogPlace<T>[],
): RowcallError {
  const names = [...new Set(documents.map(kind.labelOf).flatMap(({ name, aliases }) => [name, ...aliases]))];
  return new RowcallError(kind.notFound, `There is no ${kind.noun} "${formatReference(wanted)}" in the registry`, {
    hint: `${suggest(wanted.name, names)} Looked in ${places.map(({ address }) => address).join(", ")}.`,
    details: { names },
  });
}

function versionNotFound<T>(
  kind: CatalogKind<T>,
  { name, version }: PinnedReference,
  entries: readonly CatalogEntry<T>[],
): RowcallError {
  const versions = entries.map((entry) => entry.version).toSorted((a, b) => compareVersions(b, a));
  return new RowcallError(kind.notFound, `The ${kind.noun} "${name}" has no version ${version}`, {
    hint: `There is ${versions.join(", ")}.`,
    details: { versions },
  });
}

function livesElsewhere<T>(
  kind: CatalogKind<T>,
  reference: PinnedReference,
  { address }: CatalogPlace<T>,
  target: CatalogPlace<T> | undefined,
): RowcallError {
  const written =
    target === undefined ? "which is not written" : `and ${target.address} is the registry that is written`;
  return new RowcallError(
    "USAGE_INVALID",
    `The ${kind.noun} ${formatReference(reference)} is in ${address}, ${written}`,
    { hint: `Name the registry that it is in first: --registry ${address}` },
  );
}

function noTarget<T>(kind: CatalogKind<T>): RowcallError {
  return new RowcallError("USAGE_INVALID", `There is no registry to publish the ${kind.noun} to`, {
    hint: `Name a folder, or a table whose key is ${kind.key} and version, with --registry.`,
  });
}

function versionExists<T>(kind: CatalogKind<T>, { name, version }: PinnedReference): RowcallError {
  return new RowcallError("VERSION_EXISTS", `Version ${version} of the ${kind.noun} "${name}" is published already`, {
    hint: "A version is never overwritten: raise the version.",
  });
}

function ownError(thrown: unknown): RowcallError {
  if (thrown instanceof RowcallError) return thrown;
  throw thrown;
}
