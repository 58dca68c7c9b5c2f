import { html } from "hono/html";
import type { AgentDefinition } from "../../core/agent.ts";
import type { TableHead } from "../../app/workbench.ts";
import { shorten } from "./format.ts";
import type { Page } from "./frame.ts";
import { apiHref } from "./links.ts";
import { crumbs, emptyState, field, head, option, scroller, table, type Html } from "./parts.ts";
import { schemaFields } from "./schema-form.ts";
import { referenceOf } from "../../core/registry.ts";

/** What the beginning of a new batch shows. */
export interface UploadView {
  /** Agents that take batches, as `name@version`. */
  readonly agents: readonly string[];
  /** The agent that was chosen. */
  readonly agent?: string;
  /** Path or URI that was given. */
  readonly input?: string;
}

/** First step: a table and an agent. */
export function uploadPage({ agents, agent, input = "" }: UploadView): Page {
  return {
    title: "New batch",
    place: "new",
    scripts: ["upload.js"],
    main: html`<h1>New batch</h1>
      ${
        agents.length === 0
          ? emptyState("No agent takes batches yet", html`Publish one first: see <a href="/agents">agents</a>.`)
          : html`<form class="panel" method="get" action="/new/columns" id="upload" data-uploads="${apiHref("uploads")}">
            <div class="fields">
              ${field(
                "agent",
                "Agent",
                html`<select id="agent" name="agent">
                  ${agents.map((name) => option(name, name, agent))}
                </select>`,
              )}
            </div>
            <div class="drop" id="drop" hidden>
              <label for="file"><strong>A CSV file</strong></label>
              <input id="file" type="file" accept=".csv,.tsv,.txt,text/csv" />
              <p class="small soft">Drop it here or choose it. Commas, semicolons, tabs; any size; it goes to this server only.</p>
              <progress id="upload-progress" max="100" value="0" hidden aria-label="Uploaded"></progress>
            </div>
            <div class="fields">
              ${field(
                "input",
                "Path or address of a table that the server can read",
                html`<input
                  id="input"
                  name="input"
                  type="text"
                  value="${input}"
                  placeholder="/data/rows.csv or s3://bucket/rows.csv"
                  autocomplete="off"
                />`,
              )}
            </div>
            <p class="status-line small soft" id="upload-said" role="status"></p>
            <p><button class="primary">Go on to the columns</button></p>
          </form>`
      }`,
  };
}

/** What the mapping of a new batch shows. */
export interface MappingView {
  /** URI of the table. */
  readonly input: string;
  readonly fileName: string;
  readonly agent: AgentDefinition;
  /** The beginning of the table. */
  readonly head: TableHead;
  /** Columns by field of the agent's input. */
  readonly mapping: ReadonlyMap<string, string>;
  readonly maxConcurrency: string;
  /** How often a failed row is attempted again. */
  readonly retries: string;
  /** Of the run. */
  readonly name?: string;
}

/** Second step: which column goes into which field. */
export function mappingPage(view: MappingView): Page {
  const { input, agent, fileName, head: preview, maxConcurrency, retries, name = "" } = view;
  return {
    title: "Columns of the new batch",
    place: "new",
    main: html`${crumbs(["/new", "New batch"])}
      <h1>Which column goes where?</h1>
      <section class="panel flush" aria-labelledby="table-title">
        <h2 id="table-title">${fileName}</h2>
        ${scroller("First rows of the table", previewTable(preview))}
      </section>
      <form class="panel" method="get" action="/new/plan">
        <h2>Input of ${agent.agent_name}</h2>
        <p class="soft">Suggested by name: correct what is wrong.</p>
        <input type="hidden" name="input" value="${input}" />
        <input type="hidden" name="file" value="${fileName}" />
        <input type="hidden" name="agent" value="${referenceOf(agent)}" />
        <div class="fields">${agentFields(agent, preview.header).map((each) => mappingField(view, each))}</div>
        <div class="row">
          ${field(
            "concurrency",
            "Rows at once",
            html`<input id="concurrency" name="concurrency" type="number" min="1" max="10000" value="${maxConcurrency}" />`,
          )}
          ${field(
            "retries",
            "Retries of a failed row",
            html`<input id="retries" name="retries" type="number" min="0" max="20" value="${retries}" />`,
          )}
          ${field(
            "name",
            html`Name of the run <span class="required">(optional)</span>`,
            html`<input id="name" name="name" type="text" autocomplete="off" maxlength="80" value="${name}" />`,
          )}
        </div>
        <p><button class="primary">Check every row</button></p>
      </form>`,
  };
}

/** The fields of an agent's input: those of its schema, or the columns themselves when it takes any. */
export function agentFields(agent: AgentDefinition, columns: readonly string[]): readonly string[] {
  const named = schemaFields(agent.input_schema).map(({ name }) => name);
  return named.length > 0 ? named : columns;
}

/** What a form's field is called when it names the column of a field of the input. */
export const mappingPrefix = "map.";

function mappingField({ agent, head: { header, rows }, mapping }: MappingView, name: string): Html {
  const id = `map-${name}`;
  const chosen = mapping.get(name);
  const known = schemaFields(agent.input_schema).find((one) => one.name === name);
  const example = chosen === undefined ? undefined : rows[0]?.[header.indexOf(chosen)];
  const about = [known?.description, example && `First row: ${shorten(example, 60)}`].filter(Boolean).join(" · ");
  return field(
    id,
    html`${name} ${known?.isRequired && html`<span class="required">(required)</span>`}`,
    html`<select id="${id}" name="${mappingPrefix}${name}" ${about && html`aria-describedby="${id}-about"`}>
      ${option("", "No column", chosen ?? "")} ${header.map((column) => option(column, column, chosen))}
    </select>`,
    about !== "" && html`<span class="small soft" id="${id}-about">${about}</span>`,
  );
}

function previewTable({ header, rows }: TableHead): Html {
  const cell = (text: string): Html => html`<span class="cell" dir="auto">${shorten(text, 300)}</span>`;
  return table(
    header.map((column) => head(cell(column))),
    rows.length === 0
      ? [html`<tr><td colspan="${Math.max(1, header.length)}" class="soft">The table has no rows.</td></tr>`]
      : rows.map((cells) => html`<tr>${header.map((_, at) => html`<td>${cell(cells[at] ?? "")}</td>`)}</tr>`),
  );
}
