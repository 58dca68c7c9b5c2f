import type { RowcallError } from "../core/errors.ts";
import type { ObjectStore } from "../core/object-store.ts";

/** What a registry of files stands on. */
export interface FileRegistryOptions {
  /** Reads and writes the files; any store will do. */
  readonly store: ObjectStore;
  /**
   * Folders with `agents/` and `templates/` in them, as paths or URIs of the store. The first is where publish writes; where
   * two hold the same version of a name, the earlier one counts.
   */
  readonly directories: readonly string[];
  /** Told by `list` of each file that cannot be read, which is then left out. @default `list` throws the first */
  readonly onProblem?: (problem: RowcallError) => void;
}
