import { html } from "hono/html";
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import type { TemplateDocument } from "../../core/template.ts";
import { cellOf } from "./format.ts";
import type { Html, Page } from "./frame.ts";
import { badge, crumbs, jsonBlock, noticeBox, type Notice } from "./parts.ts";
import { scriptSteps } from "./script-steps.ts";
import { nextVersion, publishPanel, versionsPanel, type ListedVersion } from "./catalog-parts.ts";

/** What the page of one template shows. */
export interface TemplateView {
  readonly template: TemplateDocument;
  /** Oldest first. */
  readonly versions: readonly ListedVersion[];
  readonly draft?: string;
  readonly notice?: Notice;
}

/** One version of a template: its variables and its steps, readable. */
export function templatePage(view: TemplateView): Page {
  const { template } = view;
  const { template_id: name, version } = template;
  const shelved = { catalog: "templates", name, version, versions: view.versions } as const;
  const { starting_page: start, description, variables, steps } = template as unknown as JsonObject;
  return {
    title: `${name}@${version}`,
    place: "agents",
    main: html`${crumbs(["/agents", "Templates"])}
      <div class="head">
        <h1>${name} <span class="soft">${version}</span></h1>
        ${badge(template.status)}
      </div>
      ${noticeBox(view.notice)} ${description === undefined ? "" : html`<p>${cellOf(description)}</p>`}
      <section class="panel" aria-labelledby="steps-title">
        <h2 id="steps-title">Steps</h2>
        ${start === undefined ? "" : html`<p>Begins at <span class="mono">${cellOf(start)}</span></p>`}
        ${scriptSteps(steps)}
      </section>
      <div class="columns">
        ${variablesPanel(variables)} ${versionsPanel(shelved)}
      </div>
      <section class="panel" aria-label="The whole template">
        <details>
          <summary>The whole template as JSON</summary>
          ${jsonBlock(template as unknown as JsonObject, "The whole template")}
        </details>
      </section>
      ${publishPanel(
        shelved,
        { ...template, version: nextVersion(view.versions.at(-1)?.version ?? version) },
        view.draft,
      )}`,
  };
}

function variablesPanel(variables: JsonValue | undefined): Html {
  return html`<section class="panel" aria-labelledby="variables-title">
    <h2 id="variables-title">Variables</h2>
    ${
      isJsonObject(variables)
        ? html`<dl class="pairs">
          ${Object.entries(variables).map(([name, about]) => {
            const known: JsonObject = isJsonObject(about) ? about : {};
            return html`<dt class="mono">${name}${known["required"] === true ? html`<abbr title="required">*</abbr>` : ""}</dt>
              <dd>
                ${cellOf(known["description"])}
                ${known["default"] === undefined ? "" : html`<div class="small soft">${cellOf(known["default"])} unless told</div>`}
              </dd>`;
          })}
        </dl>`
        : html`<p class="soft">Whatever the row brings.</p>`
    }
  </section>`;
}
