import type { Wiring } from "../../app/wire.ts";
import type { RowcallError } from "../../core/errors.ts";
import type { Registry } from "../../core/registry.ts";
import { openRegistry } from "../../registry/open-registry.ts";

/** A registry that reports broken documents rather than stop at them. */
export interface OpenedRegistry {
  readonly registry: Registry;
  /** Filled by `list`: documents that cannot be read. */
  readonly problems: readonly RowcallError[];
}

/**
 * Opens registries for the commands that look after them.
 *
 * @param registries - addresses, in the order in which they are read
 * @param bundled - the registry that comes with the package, read last. @default it is left out
 */
export function openReporting(
  { services: { store }, host: { aws } }: Pick<Wiring, "services" | "host">,
  registries: readonly string[],
  bundled?: string,
): OpenedRegistry {
  const problems: RowcallError[] = [];
  const onProblem = (problem: RowcallError): void => void problems.push(problem);
  return { registry: openRegistry({ store, aws, registries, bundled, onProblem }), problems };
}
