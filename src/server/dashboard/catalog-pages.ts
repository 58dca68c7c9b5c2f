import type { AgentDefinition } from "../../core/agent.ts";
import { readDocument } from "../../core/read-document.ts";
import { compareVersions, formatReference, parseReference, referenceOf, type Catalog } from "../../core/registry.ts";
import type { TemplateDocument } from "../../core/template.ts";
import { agentKind, templateKind, type CatalogKind } from "../../registry/catalog-place.ts";
import { agentPage, type AgentView } from "../pages/agent-page.ts";
import { agentsPage } from "../pages/agents-page.ts";
import { catalogDiffPage, type ListedVersion, type VersionView } from "../pages/catalog-parts.ts";
import type { Page } from "../pages/frame.ts";
import { catalogHref } from "../pages/links.ts";
import { templatePage } from "../pages/template-page.ts";
import { readForm, readInput, type Dashboard } from "./dashboard.ts";

/** Agents and templates: lists, versions, differences, a try, new versions. */
export function mountCatalogPages(dashboard: Dashboard): void {
  const { app, pages, registry, workbench, tries } = dashboard;

  app.get("/agents", async (c) => {
    const [agents, templates] = await Promise.all([registry.agents.list(), registry.templates.list()]);
    return pages.show(c, agentsPage({ agents, templates }));
  });

  const viewAgent = mountCatalog<AgentDefinition>(dashboard, {
    kind: agentKind,
    catalog: registry.agents,
    read: workbench.readAgent,
    page: agentPage,
  });
  mountCatalog<TemplateDocument>(dashboard, {
    kind: templateKind,
    catalog: registry.templates,
    read: workbench.readTemplate,
    page: templatePage,
  });

  app.post("/agents/:reference/try", async (c) => {
    const agent = await registry.agents.resolve(parseReference(c.req.param("reference")));
    const view: AgentView = await viewAgent(agent);
    const form = await readForm(c);
    try {
      // A batch that is only tried needs no places.
      const batch = await workbench.readBatch({ agent: referenceOf(agent) }, []);
      const input = readInput(agent.input_schema, form);
      const tried = { ...(await tries.make(batch, { input })), input };
      return await pages.show(c, agentPage({ ...view, tried }));
    } catch (thrown) {
      return pages.showRefused(c, agentPage(view), thrown);
    }
  });
}

/** How documents of one kind are found, read and shown. */
interface CatalogPages<T extends ListedVersion> {
  readonly kind: CatalogKind<T>;
  readonly catalog: Catalog<T>;
  /** @throws RowcallError when it is not such a document */
  read(value: unknown): T | Promise<T>;
  page(view: VersionView<T>): Page;
}

/** Adds the pages of a kind. @returns makes the view of a document */
function mountCatalog<T extends ListedVersion & object>(
  { app, pages }: Dashboard,
  { kind, catalog, read, page }: CatalogPages<T>,
): (document: T) => Promise<VersionView<T>> {
  const path = `${kind.noun}s` as const;
  const nameOf = (document: T): string => kind.labelOf(document).name;
  const versionsOf = async (name: string | undefined): Promise<readonly T[]> =>
    (await catalog.list()).filter((one) => nameOf(one) === name);
  const view = async (document: T): Promise<VersionView<T>> => ({
    document,
    versions: await versionsOf(nameOf(document)),
  });

  app.get(`/${path}/:reference`, async (c) => {
    const document = await catalog.resolve(parseReference(c.req.param("reference")));
    return pages.show(c, page(await view(document)));
  });

  app.get(`/${path}/:reference/diff`, async (c) => {
    const one = await catalog.resolve(parseReference(c.req.param("reference")));
    const other = await catalog.resolve({ name: nameOf(one), version: c.req.query("against") ?? "" });
    const [older, newer] = compareVersions(one.version, other.version) <= 0 ? [one, other] : [other, one];
    return pages.show(c, catalogDiffPage(path, nameOf(one), older, newer));
  });

  app.post(`/${path}/publish`, async (c) => {
    const draft = (await readForm(c)).get("document") ?? "";
    try {
      const document = await read(await readDocument(draft, "", "USAGE_INVALID", "document"));
      await catalog.publish(document);
      return c.redirect(catalogHref(path, formatReference(kind.labelOf(document))), 303);
    } catch (thrown) {
      // What was typed may not be JSON at all: the page it came from is found by the names in its text.
      const [name, version] = [kind.key, "version"].map(
        (key) => new RegExp(`"${key}"\\s*:\\s*"([^"]*)"`).exec(draft)?.[1],
      );
      const known = await versionsOf(name);
      const document = known.find((one) => one.version === version) ?? known.at(-1);
      if (document === undefined) throw thrown;
      return pages.showRefused(c, page({ document, versions: known, draft }), thrown);
    }
  });
  return view;
}
