import { html } from "hono/html";
import type { AgentDefinition } from "../../core/agent.ts";
import type { TemplateDocument } from "../../core/template.ts";
import type { ListedVersion } from "./catalog-parts.ts";
import { plural } from "./format.ts";
import type { Page } from "./frame.ts";
import { catalogHref } from "./links.ts";
import { badge, emptyState, head, panel, scroller, table, type Html } from "./parts.ts";

/** What the list of agents and templates shows: every version of each. */
export interface AgentsView {
  readonly agents: readonly AgentDefinition[];
  readonly templates: readonly TemplateDocument[];
}

/** Agents and templates by name, each with its newest version. */
export function agentsPage({ agents, templates }: AgentsView): Page {
  return {
    title: "Agents and templates",
    place: "agents",
    main: html`<h1>Agents and templates</h1>
      ${panel(
        "agents",
        "Agents",
        agents.length === 0
          ? emptyState(
              "No agents",
              "Publish one with rowcall agents publish, or put its file into the registry's folder agents.",
            )
          : scroller(
              "Table of agents",
              table(
                [head("Agent"), head("Kind"), ...versionHeads],
                newest(agents, ({ agent_name: name }) => name).map(
                  ({ name, last, many }) =>
                    html`<tr>
                      ${nameCell("agents", name, last.version, last.description)}
                      <td>${last.kind}</td>
                      ${versionCells(last, many)}
                    </tr>`,
                ),
              ),
            ),
        "flush",
      )}
      ${panel(
        "templates",
        "Templates",
        templates.length === 0
          ? emptyState("No templates", "Browser agents take their steps from templates.")
          : scroller(
              "Table of templates",
              table(
                [head("Template"), ...versionHeads],
                newest(templates, ({ template_id: id }) => id).map(
                  ({ name, last, many }) =>
                    html`<tr>
                      ${nameCell("templates", name, last.version, last.name)} ${versionCells(last, many)}
                    </tr>`,
                ),
              ),
            ),
        "flush",
      )}`,
  };
}

const versionHeads = [head("Newest"), head("Status"), head("Versions", "wide")];

function versionCells({ version, status }: ListedVersion, many: number): Html {
  return html`<td class="mono">${version}</td>
    <td>${badge(status)}</td>
    <td class="wide">${plural(many, "version")}</td>`;
}

function nameCell(
  catalog: "agents" | "templates",
  name: string,
  version: string,
  description: string | undefined,
): Html {
  return html`<th scope="row" class="break">
    <a href="${catalogHref(catalog, `${name}@${version}`)}">${name}</a>
    ${description && html`<div class="small soft">${description}</div>`}
  </th>`;
}

// Catalogs list the oldest version of a name first.
function newest<T>(
  documents: readonly T[],
  nameOf: (document: T) => string,
): readonly { readonly name: string; readonly last: T; readonly many: number }[] {
  return [...Map.groupBy(documents, nameOf)].flatMap(([name, versions]) => {
    const last = versions.at(-1);
    return last === undefined ? [] : [{ name, last, many: versions.length }];
  });
}
