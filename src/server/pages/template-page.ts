import { html } from "hono/html";
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import type { TemplateDocument } from "../../core/template.ts";
import { versionPage, versionsPanel, type VersionView } from "./catalog-parts.ts";
import { cellOf } from "./format.ts";
import type { Page } from "./frame.ts";
import { jsonBlock, pairs, panel, type Html } from "./parts.ts";
import { scriptSteps } from "./script-steps.ts";

/** One version of a template: its variables and its steps, readable. */
export function templatePage(view: VersionView<TemplateDocument>): Page {
  const { template_id: name } = view.document;
  const { starting_page: start, description, variables, steps } = view.document as unknown as JsonObject;
  return versionPage(view, {
    catalog: "templates",
    name,
    description: cellOf(description),
    body: html`${panel(
      "steps",
      "Steps",
      html`${start !== undefined && html`<p>Begins at <span class="mono">${cellOf(start)}</span></p>`}
        ${scriptSteps(steps)}`,
    )}
      <div class="columns">
        ${panel("variables", "Variables", variableList(variables))} ${versionsPanel("templates", name, view)}
      </div>
      <section class="panel" aria-label="The whole template">
        <details>
          <summary>The whole template as JSON</summary>
          ${jsonBlock(view.document, "The whole template")}
        </details>
      </section>`,
  });
}

function variableList(variables: JsonValue | undefined): Html {
  if (!isJsonObject(variables)) return html`<p class="soft">Whatever the row brings.</p>`;
  return pairs(
    Object.entries(variables).map(([name, value]) => {
      const about: JsonObject = isJsonObject(value) ? value : {};
      const { required, description, default: usual } = about;
      return [
        html`<span class="mono">${name}</span>${required === true && html`<abbr title="required">*</abbr>`}`,
        html`${cellOf(description)}
        ${usual !== undefined && html`<div class="small soft">${cellOf(usual)} by default</div>`}`,
      ];
    }),
  );
}
