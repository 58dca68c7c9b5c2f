import { schemeOf } from "../core/uri.ts";
import { parseAgent, type AgentDefinition } from "../core/agent.ts";
import type { ErrorCode, RowcallError } from "../core/errors.ts";
import type { PinnedReference } from "../core/registry.ts";
import { parseTemplateDocument, type PublicationStatus, type TemplateDocument } from "../core/template.ts";

/**
 * The addresses in `ROWCALL_REGISTRY`, which are separated as in `PATH`. Where that is with a colon, the colon of a URI's scheme
 * does not separate: `./mine:s3://bucket/registry:dynamodb:AgentRegistry`.
 *
 * @param delimiter - of `PATH`: `:` or `;`
 */
export function splitRegistries(text: string, delimiter: string): string[] {
  if (delimiter !== ":") return text.split(delimiter).filter(Boolean);
  return text.match(/(?:(?:dynamodb|file|memory):|[a-z][a-z\d+.-]+:(?=\/\/))?[^:]+/gi) ?? [];
}

/** Whether an address is a path rather than a URI. */
export function isPath(address: string): boolean {
  return schemeOf(address) === "file" && !/^file:/i.test(address);
}

/** What a catalog must know of the documents on it. */
export interface CatalogKind<T> {
  readonly noun: "agent" | "template";
  /** What its name is called in the document. */
  readonly key: "agent_name" | "template_id";
  /** Folder in a registry's directory. */
  readonly folder: string;
  readonly notFound: ErrorCode;
  readonly invalid: ErrorCode;
  parse(value: unknown, what: string): T;
  labelOf(document: T): Label;
}

/** What a document is found by. */
export interface Label extends PinnedReference {
  readonly status: PublicationStatus;
  /** Other names that resolve to it. */
  readonly aliases: readonly string[];
}

/** Agents: `agents/{agent_name}_v{version}.json`. */
export const agentKind: CatalogKind<AgentDefinition> = {
  noun: "agent",
  key: "agent_name",
  folder: "agents",
  notFound: "AGENT_NOT_FOUND",
  invalid: "AGENT_INVALID",
  parse: parseAgent,
  labelOf: ({ agent_name: name, version, status, aliases }) => ({ name, version, status, aliases }),
};

/** Templates: `templates/{template_id}_v{version}.json`. */
export const templateKind: CatalogKind<TemplateDocument> = {
  noun: "template",
  key: "template_id",
  folder: "templates",
  notFound: "TEMPLATE_NOT_FOUND",
  invalid: "TEMPLATE_INVALID",
  parse: parseTemplateDocument,
  labelOf: ({ template_id: name, version, status }) => ({ name, version, status, aliases: [] }),
};

/** One version of a document where it lies, not read yet. */
export interface CatalogEntry<T> extends PinnedReference {
  /** @throws RowcallError AGENT_INVALID or TEMPLATE_INVALID when it is invalid */
  read(): Promise<T>;
  /** Writes another status; false when the version is gone. */
  setStatus(status: PublicationStatus): Promise<boolean>;
}

/** One folder or table with documents of one kind. */
export interface CatalogPlace<T> {
  /** As it is written after `--registry`. */
  readonly address: string;
  /** The versions of a name. */
  find(name: string): Promise<readonly CatalogEntry<T>[]>;
  /** The versions of all names, and what cannot even be told by name and version. */
  findAll(): Promise<{ readonly entries: readonly CatalogEntry<T>[]; readonly problems: readonly RowcallError[] }>;
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
  placeOf<T>(kind: CatalogKind<T>): Promise<CatalogPlace<T> | undefined>;
}
