import { html } from "hono/html";
import type { AgentDefinition } from "../../core/agent.ts";
import type { Tried } from "../tries.ts";
import { versionPage, versionsPanel, type VersionView } from "./catalog-parts.ts";
import type { Page } from "./frame.ts";
import { catalogHref } from "./links.ts";
import { jsonBlock, pairs, panel, type Html } from "./parts.ts";
import { triedPanel } from "./row-page.ts";
import { schemaFields, schemaForm } from "./schema-form.ts";

/** What the page of one agent shows. */
export interface AgentView extends VersionView<AgentDefinition> {
  /** What came of trying it. */
  readonly tried?: Tried;
}

/** One version of an agent: what it takes and gives, a try, the way to a new version. */
export function agentPage(view: AgentView): Page {
  const { document: agent, tried } = view;
  const { agent_name: name, description } = agent;
  const reference = `${name}@${agent.version}`;
  return versionPage(view, {
    catalog: "agents",
    name,
    description,
    action: html`<a class="button push" href="/new?agent=${encodeURIComponent(reference)}">New batch</a>`,
    body: html`${tried && triedPanel(tried)}
      <div class="columns">
        ${panel(
          "try",
          "Try one row",
          html`<p class="soft">Calls the agent once with what you fill in; nothing is written to any table.</p>
            <form class="fields" method="post" action="${catalogHref("agents", reference)}/try" data-busy="Trying…">
              ${schemaForm(agent.input_schema, tried?.input ?? {})}
              <p><button class="primary">Try</button></p>
            </form>`,
        )}
        <div class="columns">${panel("about", "About this agent", about(agent))} ${versionsPanel("agents", name, view)}</div>
      </div>`,
  });
}

function about({ kind, config, aliases, estimate, input_schema, structured_output }: AgentDefinition): Html {
  const { template } = config;
  const { output_fields: outputs } = structured_output;
  const [seconds, cost] = [estimate?.seconds_per_row, estimate?.cost_per_row_usd];
  return html`${pairs([
    ["Kind", kind],
    [
      "Template",
      typeof template === "string" ? html`<a href="${catalogHref("templates", template)}">${template}</a>` : undefined,
    ],
    ["Also known as", aliases.length === 0 ? undefined : aliases.join(", ")],
    ["Takes", inputFields(input_schema)],
    ["Gives", outputs.length === 0 ? "any fields" : outputs.join(", ")],
    ["Takes about", seconds === undefined ? undefined : `${seconds} s a row`],
    ["Costs about", cost === undefined ? undefined : `$${cost} a row`],
  ])}
    <details>
      <summary>Settings and schemas</summary>
      ${jsonBlock({ config, input_schema, structured_output }, "Settings and schemas")}
    </details>`;
}

function inputFields(schema: AgentDefinition["input_schema"]): Html {
  const fields = schemaFields(schema);
  if (fields.length === 0) return html`any fields`;
  return html`${fields.map(
    ({ name, isRequired }, at) => html`${at > 0 && ", "}${name}${isRequired && html`<abbr title="required">*</abbr>`}`,
  )}`;
}
