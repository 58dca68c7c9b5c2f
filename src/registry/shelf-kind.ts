import { parseAgent, type AgentDefinition } from "../core/agent.ts";
import type { ErrorCode } from "../core/errors.ts";
import { parseTemplateDocument, type PublicationStatus, type TemplateDocument } from "../core/template.ts";

/** What a shelf must know of the documents on it. */
export interface ShelfKind<T> {
  readonly noun: "agent" | "template";
  /** What its name is called in the document. */
  readonly key: "agent_name" | "template_id";
  /** Folder in a registry's directory. */
  readonly folder: string;
  readonly notFound: ErrorCode;
  readonly invalid: ErrorCode;
  parse(value: unknown, what: string): T;
  nameOf(document: T): string;
  versionOf(document: T): string;
  statusOf(document: T): PublicationStatus;
  /** Other names that resolve to it. */
  aliasesOf(document: T): readonly string[];
}

/** Agents: `agents/{agent_name}_v{version}.json`. */
export const agentKind: ShelfKind<AgentDefinition> = {
  noun: "agent",
  key: "agent_name",
  folder: "agents",
  notFound: "AGENT_NOT_FOUND",
  invalid: "AGENT_INVALID",
  parse: parseAgent,
  nameOf: (agent) => agent.agent_name,
  versionOf: (agent) => agent.version,
  statusOf: (agent) => agent.status,
  aliasesOf: (agent) => agent.aliases,
};

/** Templates: `templates/{template_id}_v{version}.json`. */
export const templateKind: ShelfKind<TemplateDocument> = {
  noun: "template",
  key: "template_id",
  folder: "templates",
  notFound: "TEMPLATE_NOT_FOUND",
  invalid: "TEMPLATE_INVALID",
  parse: parseTemplateDocument,
  nameOf: (template) => template.template_id,
  versionOf: (template) => template.version,
  statusOf: (template) => template.status,
  aliasesOf: () => [],
};
