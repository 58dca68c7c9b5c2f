import { html } from "hono/html";
import type { AgentDefinition } from "../../core/agent.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { cellOf } from "./format.ts";
import type { Html, Page } from "./frame.ts";
import { badge, crumbs, jsonBlock, noticeBox, type Notice } from "./parts.ts";
import { triedSection, type TriedView } from "./row-page.ts";
import { schemaForm } from "./schema-form.ts";
import { nextVersion, publishPanel, versionsPanel, type ListedVersion } from "./catalog-parts.ts";

/** What the page of one agent shows. */
export interface AgentView {
  readonly agent: AgentDefinition;
  /** Oldest first. */
  readonly versions: readonly ListedVersion[];
  /** What came of trying it. */
  readonly tried?: TriedView;
  /** What was to be published and was refused. */
  readonly draft?: string;
  readonly notice?: Notice;
}

/** One version of an agent: what it takes and gives, a try, the way to a new version. */
export function agentPage(view: AgentView): Page {
  const { agent } = view;
  const { agent_name: name, version } = agent;
  const shelved = { catalog: "agents", name, version, versions: view.versions } as const;
  return {
    title: `${name}@${version}`,
    place: "agents",
    main: html`${crumbs(["/agents", "Agents"])}
      <div class="head">
        <h1>${name} <span class="soft">${version}</span></h1>
        ${badge(agent.status)}
        <a class="button push" href="/new?agent=${encodeURIComponent(`${name}@${version}`)}">New batch</a>
      </div>
      ${noticeBox(view.notice)}
      ${agent.description === undefined ? "" : html`<p>${agent.description}</p>`}
      ${view.tried === undefined ? "" : triedSection(view.tried)}
      <div class="columns">
        ${tryPanel(view)}
        <div class="columns">${about(agent)} ${versionsPanel(shelved)}</div>
      </div>
      ${publishPanel(shelved, { ...agent, version: nextVersion(view.versions.at(-1)?.version ?? version) }, view.draft)}`,
  };
}

function tryPanel({ agent, tried }: AgentView): Html {
  const address = encodeURIComponent(`${agent.agent_name}@${agent.version}`);
  return html`<section class="panel" aria-labelledby="try-title">
    <h2 id="try-title">Try one row</h2>
    <p class="soft">Calls the agent once with what you fill in; nothing is written to any table.</p>
    <form class="fields" method="post" action="/agents/${address}/try" data-busy="Trying…"> ${schemaForm(agent.input_schema, tried?.input ?? {})}
      <p><button class="primary">Try</button></p>
    </form>
  </section>`;
}

function about(agent: AgentDefinition): Html {
  const { kind, config, aliases, estimate, structured_output: output } = agent;
  const { template } = config;
  return html`<section class="panel" aria-labelledby="about-title">
    <h2 id="about-title">About it</h2>
    <dl class="pairs">
      <dt>Kind</dt>
      <dd>${kind}</dd>
      ${
        typeof template === "string"
          ? html`<dt>Template</dt>
            <dd><a href="/templates/${encodeURIComponent(template)}">${template}</a></dd>`
          : ""
      }
      ${aliases.length === 0 ? "" : html`<dt>Also known as</dt><dd>${aliases.join(", ")}</dd>`}
      <dt>Takes</dt>
      <dd>${inputFields(agent.input_schema)}</dd>
      <dt>Gives</dt>
      <dd>${output.output_fields.length === 0 ? "any fields" : output.output_fields.join(", ")}</dd>
      ${estimate?.seconds_per_row === undefined ? "" : html`<dt>Takes about</dt><dd>${estimate.seconds_per_row} s a row</dd>`}
      ${estimate?.cost_per_row_usd === undefined ? "" : html`<dt>Costs about</dt><dd>$${estimate.cost_per_row_usd} a row</dd>`}
    </dl>
    <details>
      <summary>Settings and schemas</summary>
      ${jsonBlock(
        {
          config,
          ...(agent.input_schema && { input_schema: agent.input_schema }),
          structured_output: output as JsonObject,
        },
        "Settings and schemas",
      )}
    </details>
  </section>`;
}

function inputFields(schema: JsonObject | undefined): Html {
  const properties = schema?.["properties"];
  if (!isJsonObject(properties) || Object.keys(properties).length === 0) return html`any fields`;
  const required = Array.isArray(schema?.["required"]) ? schema["required"] : [];
  return html`${Object.keys(properties).map(
    (name, at) =>
      html`${at === 0 ? "" : ", "}${name}${required.includes(name) ? html`<abbr title="required">*</abbr>` : ""}`,
  )}`;
}

/** What differs between two versions. */
export interface CatalogDiffView {
  readonly catalog: "agents" | "templates";
  readonly name: string;
  readonly older: string;
  readonly newer: string;
  readonly changes: Html;
}

/** The difference between two versions of an agent or a template. */
export function catalogDiffPage({ catalog, name, older, newer, changes }: CatalogDiffView): Page {
  const title = `${name}: ${cellOf(older)} to ${cellOf(newer)}`;
  return {
    title,
    place: "agents",
    main: html`${crumbs(
      ["/agents", catalog === "agents" ? "Agents" : "Templates"],
      [`/${catalog}/${encodeURIComponent(`${name}@${newer}`)}`, `${name}@${newer}`],
    )}
      <h1>${title}</h1>
      <section class="panel flush" aria-label="Changes">${changes}</section>`,
  };
}
