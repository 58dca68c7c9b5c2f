import { html } from "hono/html";
import type { AgentDefinition } from "../../core/agent.ts";
import type { TemplateDocument } from "../../core/template.ts";
import { plural } from "./format.ts";
import type { Html, Page } from "./frame.ts";
import { badge, emptyState, scroller } from "./parts.ts";

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
      <section class="panel flush" aria-labelledby="agents-title">
        <h2 id="agents-title">Agents</h2>
        ${
          agents.length === 0
            ? emptyState(
                "No agents",
                "Publish one with rowcall agents publish, or put its file into the registry's folder agents.",
              )
            : scroller("Table of agents", agentTable(agents))
        }
      </section>
      <section class="panel flush" aria-labelledby="templates-title">
        <h2 id="templates-title">Templates</h2>
        ${
          templates.length === 0
            ? emptyState("No templates", "Browser agents take their steps from templates.")
            : scroller("Table of templates", templateTable(templates))
        }
      </section>`,
  };
}

function agentTable(agents: readonly AgentDefinition[]): Html {
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Agent</th>
        <th scope="col">Kind</th>
        <th scope="col">Newest</th>
        <th scope="col">Status</th>
        <th scope="col" class="wide">Versions</th>
      </tr>
    </thead>
    <tbody>
      ${newest(agents, ({ agent_name: name }) => name).map(
        ({ name, last, many }) =>
          html`<tr>
            <th scope="row" class="break">
              <a href="/agents/${encodeURIComponent(`${name}@${last.version}`)}">${name}</a>
              ${last.description === undefined ? "" : html`<div class="small soft">${last.description}</div>`}
            </th>
            <td>${last.kind}</td>
            <td class="mono">${last.version}</td>
            <td>${badge(last.status)}</td>
            <td class="wide">${plural(many, "version")}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function templateTable(templates: readonly TemplateDocument[]): Html {
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Template</th>
        <th scope="col">Newest</th>
        <th scope="col">Status</th>
        <th scope="col" class="wide">Versions</th>
      </tr>
    </thead>
    <tbody>
      ${newest(templates, ({ template_id: id }) => id).map(
        ({ name, last, many }) =>
          html`<tr>
            <th scope="row" class="break">
              <a href="/templates/${encodeURIComponent(`${name}@${last.version}`)}">${name}</a>
              ${last.name === undefined ? "" : html`<div class="small soft">${last.name}</div>`}
            </th>
            <td class="mono">${last.version}</td>
            <td>${badge(last.status)}</td>
            <td class="wide">${plural(many, "version")}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
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
