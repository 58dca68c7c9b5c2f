import type { Registry } from "../core/registry.ts";
import { openRegistry, type RegistryOptions } from "./open-registry.ts";

/** What a registry of files stands on. */
export interface FileRegistryOptions extends Pick<RegistryOptions, "store" | "onProblem"> {
  /** Folders with `agents/` and `templates/` in them, as paths or URIs of the store; the earlier one counts. */
  readonly directories: readonly string[];
}

/** Opens a registry of folders alone. */
export function openFileRegistry({ directories, ...options }: FileRegistryOptions): Registry {
  return openRegistry({ ...options, registries: directories });
}
