import { resolve } from "node:path";
import type { RowcallError } from "../core/errors.ts";
import type { Registry } from "../core/registry.ts";
import { openFileRegistry } from "../registry/file-registry.ts";
import type { Wiring } from "../wire.ts";

/** A registry that reports broken files rather than stop at them, and where it publishes. */
export interface OpenedRegistry {
  readonly registry: Registry;
  /** Folder that publish writes to. */
  readonly publishesTo: string;
  /** Filled by `list`: files that cannot be read. */
  readonly problems: readonly RowcallError[];
}

/** Opens the registry for the commands that look after it. */
export function openRegistry({ services, registryDirectories }: Wiring): OpenedRegistry {
  const problems: RowcallError[] = [];
  const [first = "", ...others] = registryDirectories;
  // The package's own registry comes last and alone when there is no other: it is no place to publish to.
  const publishesTo = others.length === 0 ? resolve(services.baseDirectory, "registry") : first;
  const directories = [...new Set([publishesTo, ...registryDirectories])];
  const registry = openFileRegistry({
    store: services.store,
    directories,
    onProblem: (problem) => void problems.push(problem),
  });
  return { registry, publishesTo, problems };
}
