import type { Registry, Catalog } from "../../core/registry.ts";

/** What commands must know of one kind of document in the registry. */
export interface CatalogCommands<T> {
  readonly noun: "agent" | "template";
  /** A reference for the examples of the help. */
  readonly example: string;
  readonly head: readonly string[];
  catalog(registry: Registry): Catalog<T>;
  /** One line of the list. */
  cells(document: T): readonly string[];
  nameOf(document: T): string;
  versionOf(document: T): string;
  /** Reads a file's value; throws when something is wrong with it. */
  validate(value: unknown, what: string): Promise<T>;
}
