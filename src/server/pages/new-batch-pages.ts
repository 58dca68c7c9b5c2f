import { html } from "hono/html";
import type { AgentDefinition } from "../../core/agent.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { formatCount, plural, shorten } from "./format.ts";
import type { Html, Page } from "./frame.ts";
import { crumbs, emptyState, noticeBox, option, scroller, type Notice } from "./parts.ts";

/** What the beginning of a new batch shows. */
export interface UploadView {
  /** Agents that take batches, as `name@version`. */
  readonly agents: readonly string[];
  readonly chosen?: string;
  /** Path or URI that was given. */
  readonly input: string;
  /** Address that files are uploaded to. */
  readonly uploadsHref: string;
  readonly notice?: Notice;
}

/** First step: a table and an agent. */
export function uploadPage({ agents, chosen, input, uploadsHref, notice }: UploadView): Page {
  return {
    title: "New batch",
    place: "new",
    scripts: ["upload.js"],
    main: html`<h1>New batch</h1>
      <div id="notice" data-notice>${noticeBox(notice)}</div>
      ${
        agents.length === 0
          ? emptyState("No agent takes batches yet", html`Publish one first: see <a href="/agents">agents</a>.`)
          : html`<form class="panel" method="get" action="/new/columns" id="upload" data-uploads="${uploadsHref}">
            <div class="field fields">
              <label for="agent">Agent</label>
              <select id="agent" name="agent">
                ${agents.map((name) => option(name, name, chosen))}
              </select>
            </div>
            <div class="drop" id="drop" hidden>
              <label for="file"><strong>A CSV file</strong></label>
              <input id="file" type="file" accept=".csv,.tsv,.txt,text/csv" />
              <p class="small soft">Drop it here or choose it. Commas, semicolons, tabs; any size; it goes to this server only.</p>
              <progress id="upload-progress" max="100" value="0" hidden aria-label="Uploaded"></progress>
            </div>
            <div class="field fields">
              <label for="input">Path or address of a table that the server can read</label>
              <input
                id="input"
                name="input"
                type="text"
                value="${input}"
                placeholder="/data/rows.csv or s3://bucket/rows.csv"
                autocomplete="off"
              />
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
  /** What the table is called. */
  readonly fileName: string;
  readonly agent: AgentDefinition;
  readonly columns: readonly string[];
  /** The first rows. */
  readonly rows: readonly (readonly string[])[];
  /** Columns by field of the agent's input. */
  readonly mapping: ReadonlyMap<string, string>;
  readonly maxConcurrency: number;
  /** How often a failed row is attempted again. */
  readonly retries: number;
  /** Of the run; empty for none. */
  readonly name: string;
  readonly notice?: Notice;
}

/** Second step: which column goes into which field. */
export function mappingPage(view: MappingView): Page {
  const { input, agent, fileName } = view;
  return {
    title: "Columns of the new batch",
    place: "new",
    main: html`${crumbs(["/new", "New batch"])}
      <h1>Which column goes where?</h1>
      ${noticeBox(view.notice)}
      <section class="panel flush" aria-labelledby="table-title">
        <h2 id="table-title">${fileName}</h2>
        ${scroller("First rows of the table", preview(view))}
      </section>
      <form class="panel" method="get" action="/new/plan">
        <h2>Input of ${agent.agent_name}</h2>
        <p class="soft">Suggested by name: correct what is wrong.</p>
        <input type="hidden" name="input" value="${input}" />
        <input type="hidden" name="file" value="${fileName}" />
        <input type="hidden" name="agent" value="${agent.agent_name}@${agent.version}" />
        <div class="fields">${agentFields(agent, view.columns).map((field) => mappingField(view, field))}</div>
        <div class="row">
          <div class="field">
            <label for="concurrency">Rows at once</label>
            <input id="concurrency" name="concurrency" type="number" min="1" max="10000" value="${view.maxConcurrency}" />
          </div>
          <div class="field">
            <label for="retries">Retries of a failed row</label>
            <input id="retries" name="retries" type="number" min="0" max="20" value="${view.retries}" />
          </div>
          <div class="field">
            <label for="name">Name of the run <span class="required">(optional)</span></label>
            <input id="name" name="name" type="text" autocomplete="off" maxlength="80" value="${view.name}" />
          </div>
        </div>
        <p><button class="primary">Check every row</button></p>
      </form>`,
  };
}

/** The fields of an agent's input: those of its schema, or the columns themselves when it takes any. */
export function agentFields(
  agent: Pick<AgentDefinition, "input_schema">,
  columns: readonly string[],
): readonly string[] {
  const properties = agent.input_schema?.["properties"];
  return isJsonObject(properties) && Object.keys(properties).length > 0 ? Object.keys(properties) : columns;
}

/** What a form's field is called when it names the column of a field of the input. */
export const mappingPrefix = "map.";

function mappingField({ agent, columns, mapping, rows }: MappingView, field: string): Html {
  const id = `map-${field}`;
  const chosen = mapping.get(field);
  const schema = fieldSchema(agent.input_schema, field);
  const required = Array.isArray(agent.input_schema?.["required"]) && agent.input_schema["required"].includes(field);
  const example = chosen === undefined ? undefined : rows[0]?.[columns.indexOf(chosen)];
  const about = [
    ...(typeof schema["description"] === "string" ? [schema["description"]] : []),
    ...(example === undefined || example === "" ? [] : [`First row: ${shorten(example, 60)}`]),
  ].join(" · ");
  return html`<div class="field">
    <label for="${id}">${field} ${required ? html`<span class="required">(required)</span>` : ""}</label>
    <select id="${id}" name="${mappingPrefix}${field}" ${about === "" ? "" : html`aria-describedby="${id}-about"`}>
      ${option("", "No column", chosen ?? "")}
      ${columns.map((column) => option(column, column, chosen))}
    </select>
    ${about === "" ? "" : html`<span class="small soft" id="${id}-about">${about}</span>`}
  </div>`;
}

function fieldSchema(schema: JsonObject | undefined, field: string): JsonObject {
  const properties = schema?.["properties"];
  const own = isJsonObject(properties) ? properties[field] : undefined;
  return isJsonObject(own) ? own : {};
}

function preview({ columns, rows }: MappingView): Html {
  return html`<table>
    <thead>
      <tr>
        ${columns.map((column) => html`<th scope="col"><span class="cell" dir="auto">${column}</span></th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (cells) =>
          html`<tr>
            ${columns.map((_, at) => html`<td><span class="cell" dir="auto">${shorten(cells[at] ?? "", 300)}</span></td>`)}
          </tr>`,
      )}
      ${rows.length === 0 ? html`<tr><td colspan="${Math.max(1, columns.length)}" class="soft">The table has no rows.</td></tr>` : ""}
    </tbody>
  </table>`;
}

/** Words for how many rows were found: `480 of 500 rows are valid`. */
export function validityWords(rows: number, invalid: number): string {
  if (rows === 0) return "There are no rows to run";
  return invalid === 0
    ? `All ${plural(rows, "row")} make a valid input`
    : `${formatCount(rows - invalid)} of ${plural(rows, "row")} make a valid input`;
}
