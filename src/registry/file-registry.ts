import type { Registry } from "../core/registry.ts";
import type { FileRegistryOptions } from "./file-registry-options.ts";
import { openFileShelf } from "./file-shelf.ts";
import { agentKind, templateKind } from "./shelf-kind.ts";

/**
 * Opens a registry of JSON and YAML files named `{name}_v{version}.json`. Nothing is kept in memory: a file added is found.
 *
 * A broken file fails only what resolves to it.
 */
export function openFileRegistry(options: FileRegistryOptions): Registry {
  return { agents: openFileShelf(agentKind, options), templates: openFileShelf(templateKind, options) };
}
