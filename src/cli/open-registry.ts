import type { RowcallError } from "../core/errors.ts";
import type { Registry } from "../core/registry.ts";
import { openRegistry as open } from "../registry/open-registry.ts";
import { bundledRegistry, type Wiring } from "../app/wire.ts";

/** A registry that reports broken documents rather than stop at them. */
export interface OpenedRegistry {
  readonly registry: Registry;
  /** Where it looks, in order. */
  readonly addresses: readonly string[];
  /** Filled by `list`: documents that cannot be read. */
  readonly problems: readonly RowcallError[];
}

/** Opens the registry for the commands that look after it. */
export function openRegistry(wiring: Wiring): OpenedRegistry {
  return openAlone(wiring, wiring.registries, bundledRegistry);
}

/**
 * Opens registries without the one that comes with the package, unless it is among them.
 *
 * @param bundled - read last all the same
 */
export function openAlone(
  { services: { store }, host: { aws } }: Pick<Wiring, "services" | "host">,
  registries: readonly string[],
  bundled?: string,
): OpenedRegistry {
  const problems: RowcallError[] = [];
  const registry = open({
    store,
    aws,
    registries,
    ...(bundled === undefined ? {} : { bundled }),
    onProblem: (problem) => void problems.push(problem),
  });
  return { registry, addresses: [...new Set([...registries, ...(bundled === undefined ? [] : [bundled])])], problems };
}
