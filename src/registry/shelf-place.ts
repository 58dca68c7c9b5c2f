import type { RowcallError } from "../core/errors.ts";
import type { PublicationStatus } from "../core/template.ts";
import type { ShelfKind } from "./shelf-kind.ts";

/** One version of a document where it lies, not read yet. */
export interface ShelfEntry<T> {
  readonly name: string;
  readonly version: string;
  /** @throws RowcallError AGENT_INVALID or TEMPLATE_INVALID when it is broken */
  read(): Promise<T>;
  /** Writes another status; false when the version is gone. */
  setStatus(status: PublicationStatus): Promise<boolean>;
}

/** One folder or table with documents of one kind. */
export interface ShelfPlace<T> {
  /** As it is written after `--registry`. */
  readonly address: string;
  /** The versions of a name. */
  find(name: string): Promise<readonly ShelfEntry<T>[]>;
  /** The versions of all names, and what cannot even be told by name and version. */
  findAll(): Promise<{ readonly entries: readonly ShelfEntry<T>[]; readonly problems: readonly RowcallError[] }>;
  /**
   * Adds a version.
   *
   * @returns false when there is one already
   */
  add(document: T): Promise<boolean>;
}

/** One address of a registry; what is behind it is looked at when it is asked for. */
export interface RegistryPart {
  /** Undefined when it cannot hold documents of the kind. */
  placeOf<T>(kind: ShelfKind<T>): Promise<ShelfPlace<T> | undefined>;
}
