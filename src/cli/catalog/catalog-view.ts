import type { AgentDefinition } from "../../core/agent.ts";
import type { Catalog, Registry } from "../../core/registry.ts";
import type { TemplateDocument } from "../../core/template.ts";
import { agentKind, templateKind, type CatalogKind } from "../../registry/catalog-place.ts";
import { validateAgent, validateTemplate } from "../../app/validate-documents.ts";

/** An agent or a template. */
export type Document = AgentDefinition | TemplateDocument;

/** What commands know of one kind of document in the registry. */
export interface CatalogView<T = Document> {
  readonly kind: CatalogKind<T>;
  /** Head of the list, and one line of it. */
  readonly head: readonly string[];
  cells(document: T): readonly string[];
  catalogOf(registry: Registry): Catalog<T>;
  /** Reads a file's value. @throws RowcallError when something is wrong with it */
  validate(value: unknown, what: string): T;
}

const agents: CatalogView<AgentDefinition> = {
  kind: agentKind,
  head: ["Agent", "Version", "Status", "Kind", "Description"],
  cells: ({ agent_name: name, aliases, version, status, kind, description = "" }) => [
    [name, ...aliases].join(", "),
    version,
    status,
    kind,
    description,
  ],
  catalogOf: (registry) => registry.agents,
  validate: validateAgent,
};

const templates: CatalogView<TemplateDocument> = {
  kind: templateKind,
  head: ["Template", "Version", "Status", "Name"],
  cells: ({ template_id: id, version, status, name = "" }) => [id, version, status, name],
  catalogOf: (registry) => registry.templates,
  validate: validateTemplate,
};

/** Both kinds of document. */
export const catalogViews: Readonly<Record<"agent" | "template", CatalogView>> = { agent: agents, template: templates };
