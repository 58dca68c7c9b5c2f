import type { AgentDefinition } from "../../core/agent.ts";
import { readDocument } from "../../core/read-document.ts";
import { compareVersions, formatReference, parseReference } from "../../core/registry.ts";
import type { TemplateDocument } from "../../core/template.ts";
import { agentPage, catalogDiffPage, type AgentView } from "../pages/agent-page.ts";
import { agentsPage } from "../pages/agents-page.ts";
import { documentDiff, type ListedVersion } from "../pages/catalog-parts.ts";
import { templatePage, type TemplateView } from "../pages/template-page.ts";
import { queryOf, readForm, type Dashboard } from "./dashboard.ts";
import { noticeOf, statusOf } from "./show-page.ts";
import { agentBatch, readInput, tryInput } from "./try-input.ts";

/** Agents and templates: lists, versions, differences, a try, new versions. */
export function mountCatalogPages(dashboard: Dashboard): void {
  const { app, pages, registry, workbench } = dashboard;

  const agentView = async (agent: AgentDefinition): Promise<AgentView> => ({
    agent,
    versions: (await registry.agents.list()).filter((one) => one.agent_name === agent.agent_name).map(versionOf),
  });
  const templateView = async (template: TemplateDocument): Promise<TemplateView> => ({
    template,
    versions: (await registry.templates.list())
      .filter((one) => one.template_id === template.template_id)
      .map(versionOf),
  });
  const findAgent = (reference: string): Promise<AgentDefinition> => registry.agents.resolve(parseReference(reference));
  const findTemplate = (reference: string): Promise<TemplateDocument> =>
    registry.templates.resolve(parseReference(reference));

  app.get("/agents", async (c) => {
    const [agents, templates] = await Promise.all([registry.agents.list(), registry.templates.list()]);
    return pages.show(c, agentsPage({ agents, templates }));
  });

  app.get("/agents/:reference", async (c) =>
    pages.show(c, agentPage(await agentView(await findAgent(c.req.param("reference"))))),
  );

  app.get("/templates/:reference", async (c) =>
    pages.show(c, templatePage(await templateView(await findTemplate(c.req.param("reference"))))),
  );

  app.get("/agents/:reference/diff", async (c) => {
    const one = await findAgent(c.req.param("reference"));
    const other = await findAgent(formatReference({ name: one.agent_name, version: queryOf(c).get("against") ?? "" }));
    return pages.show(c, difference("agents", one.agent_name, one, other));
  });

  app.get("/templates/:reference/diff", async (c) => {
    const one = await findTemplate(c.req.param("reference"));
    const against = formatReference({ name: one.template_id, version: queryOf(c).get("against") ?? "" });
    return pages.show(c, difference("templates", one.template_id, one, await findTemplate(against)));
  });

  app.post("/agents/:reference/try", async (c) => {
    const agent = await findAgent(c.req.param("reference"));
    const view = await agentView(agent);
    const form = await readForm(c);
    try {
      const batch = await agentBatch(dashboard, agent);
      const tried = await tryInput(dashboard, batch, readInput(agent.input_schema, form));
      return await pages.show(c, agentPage({ ...view, tried }));
    } catch (thrown) {
      return pages.show(c, agentPage({ ...view, notice: noticeOf(thrown) }), statusOf(thrown));
    }
  });

  app.post("/agents/publish", async (c) => {
    const draft = (await readForm(c)).get("document") ?? "";
    try {
      const agent = await workbench.readAgent(await readDocument(draft, "", "USAGE_INVALID", "document"));
      await registry.agents.publish(agent);
      return c.redirect(`/agents/${encodeURIComponent(`${agent.agent_name}@${agent.version}`)}`, 303);
    } catch (thrown) {
      const [name, version] = namesIn(draft, "agent_name");
      const known = (await registry.agents.list()).filter((one) => one.agent_name === name);
      const agent = known.find((one) => one.version === version) ?? known.at(-1);
      if (agent === undefined) throw thrown;
      return pages.show(
        c,
        agentPage({ ...(await agentView(agent)), draft, notice: noticeOf(thrown) }),
        statusOf(thrown),
      );
    }
  });

  app.post("/templates/publish", async (c) => {
    const draft = (await readForm(c)).get("document") ?? "";
    try {
      const template = workbench.readTemplate(await readDocument(draft, "", "USAGE_INVALID", "document"));
      await registry.templates.publish(template);
      return c.redirect(`/templates/${encodeURIComponent(`${template.template_id}@${template.version}`)}`, 303);
    } catch (thrown) {
      const [name, version] = namesIn(draft, "template_id");
      const known = (await registry.templates.list()).filter((one) => one.template_id === name);
      const template = known.find((one) => one.version === version) ?? known.at(-1);
      if (template === undefined) throw thrown;
      const view = { ...(await templateView(template)), draft, notice: noticeOf(thrown) };
      return pages.show(c, templatePage(view), statusOf(thrown));
    }
  });
}

function versionOf({ version, status }: ListedVersion): ListedVersion {
  return { version, status };
}

function difference<T extends ListedVersion & object>(
  catalog: "agents" | "templates",
  name: string,
  one: T,
  other: T,
): ReturnType<typeof catalogDiffPage> {
  const [older, newer] = compareVersions(one.version, other.version) <= 0 ? [one, other] : [other, one];
  return catalogDiffPage({
    catalog,
    name,
    older: older.version,
    newer: newer.version,
    changes: documentDiff(older, newer),
  });
}

// What was typed may not be JSON at all: the page it came from is found by the names in its text.
function namesIn(draft: string, key: string): readonly (string | undefined)[] {
  return [key, "version"].map((name) => new RegExp(`"${name}"\\s*:\\s*"([^"]*)"`).exec(draft)?.[1]);
}
