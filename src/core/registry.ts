import type { AgentDefinition } from "./agent.ts";
import type { PublicationStatus, TemplateDocument } from "./template.ts";

/** A name with or without a version, written `name` or `name@1.2.3`. */
export interface Reference {
  readonly name: string;
  readonly version?: string;
}

/** One version of a name. */
export type PinnedReference = Required<Reference>;

/** Agents or templates by name and version. */
export interface Catalog<T> {
  /**
   * The named version, or the newest active one in semantic order.
   *
   * @throws RowcallError AGENT_NOT_FOUND or TEMPLATE_NOT_FOUND, with the names that are near
   */
  resolve(reference: Reference): Promise<T>;
  /** All versions of all names, sorted by name, then by version, oldest first. */
  list(): Promise<readonly T[]>;
  /**
   * Adds a version.
   *
   * @returns address of the registry that it went to
   * @throws RowcallError VERSION_EXISTS: a version is never overwritten
   */
  publish(document: T): Promise<string>;
  /**
   * Gives a version another status; nothing else of a version ever changes.
   *
   * @returns address of the registry that holds it
   * @throws RowcallError AGENT_NOT_FOUND or TEMPLATE_NOT_FOUND; USAGE_INVALID when it lives elsewhere than where publish writes
   */
  setStatus(reference: PinnedReference, status: PublicationStatus): Promise<string>;
}

/** Resolves `name@version` to an agent or a template. */
export interface Registry {
  readonly agents: Catalog<AgentDefinition>;
  readonly templates: Catalog<TemplateDocument>;
}

/** Reads `name` or `name@1.2.3`. */
export function parseReference(text: string): Reference {
  const at = text.lastIndexOf("@");
  return at > 0 ? { name: text.slice(0, at), version: text.slice(at + 1) } : { name: text };
}

/** Writes a reference as `name` or `name@1.2.3`. */
export function formatReference(reference: Reference): string {
  return reference.version === undefined ? reference.name : `${reference.name}@${reference.version}`;
}

/** The reference of a definition itself, as `name@1.2.3`. */
export function referenceOf({ agent_name: name, version }: Pick<AgentDefinition, "agent_name" | "version">): string {
  return formatReference({ name, version });
}

/** Orders semantic versions `major.minor.patch`, oldest first. */
export function compareVersions(a: string, b: string): number {
  const left = a.split(".").map(Number);
  const right = b.split(".").map(Number);
  for (let i = 0; i < 3; i += 1) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
