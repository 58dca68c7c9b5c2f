import type { AwsSettings } from "../aws/aws.ts";
import type { ObjectStore } from "../core/object-store.ts";
import type { Registry } from "../core/registry.ts";
import { schemeOf } from "../core/uri.ts";
import { openDynamodbPart, dynamodbConnector } from "./dynamodb-place.ts";
import { openFilePart } from "./file-place.ts";
import { openCatalog, type CatalogOptions } from "./catalog.ts";
import { agentKind, templateKind, type RegistryPart } from "./catalog-place.ts";

/** What a registry stands on. */
export interface RegistryOptions extends Pick<CatalogOptions, "onProblem"> {
  /** Holds the files of registries that are folders; any store will do. */
  readonly store: ObjectStore;
  /** How AWS is reached. @default AWS itself, by the SDK's own rules */
  readonly aws?: AwsSettings;
  /**
   * Folders with `agents/` and `templates/` in them, as paths or URIs of the store, and tables, as `dynamodb:TABLE`. Where two
   * hold the same version of a name, the earlier one counts. The first that can hold the kind is published to.
   */
  readonly registries: readonly string[];
  /** Read after all others, and written only when it is one of them. */
  readonly bundled?: string;
}

/** Opens one registry over all that are named. Each is looked at when it is asked for something, and not before. */
export function openRegistry(options: RegistryOptions): Registry {
  const { store, aws = { endpoints: {} }, bundled, onProblem } = options;
  const registries = [...new Set(options.registries)];
  const connect = dynamodbConnector(aws);
  const open = (address: string): RegistryPart =>
    schemeOf(address) === "dynamodb" ? openDynamodbPart(address, connect) : openFilePart(store, address);
  const catalogOptions: CatalogOptions = {
    parts: registries.map(open),
    ...(bundled === undefined || registries.includes(bundled) ? {} : { bundled: open(bundled) }),
    onProblem,
  };
  return { agents: openCatalog(agentKind, catalogOptions), templates: openCatalog(templateKind, catalogOptions) };
}
