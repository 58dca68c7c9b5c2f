import { html } from "hono/html";
import type { Attempt } from "../../core/attempt.ts";
import { formatDuration } from "../../core/duration.ts";
import type { RowOrder, RowQuery, RowReport } from "../../core/engine.ts";
import type { ErrorCode } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Run } from "../../core/run.ts";
import { cellOf, formatCount, plural, shorten } from "./format.ts";
import type { Html, Page } from "./frame.ts";
import { badge, crumbs, emptyState, moment, noticeBox, type Notice, option } from "./parts.ts";

/** Which rows are shown, and in which order. */
export interface RowsQuery extends Pick<RowQuery, "status" | "code" | "text"> {
  readonly order: RowOrder;
  readonly descending: boolean;
}

/** What the table of rows shows. */
export interface RowsView {
  readonly run: Run;
  readonly query: RowsQuery;
  /** Columns of the input, in order. */
  readonly inputColumns: readonly string[];
  /** Fields of the agent's output, in order. */
  readonly outputFields: readonly string[];
  readonly rows: readonly RowReport[];
  /** Codes that rows of this run failed with. */
  readonly codes: readonly ErrorCode[];
  readonly firstHref?: string;
  readonly nextHref?: string;
  readonly notice?: Notice;
}

/** Width of the longest cell text that goes into a page of rows. */
const longestCell = 300;

/** The rows of a run as a table. */
export function rowsPage(view: RowsView): Page {
  const { run, rows } = view;
  const name = run.name ?? run.id;
  return {
    title: `Rows of ${name}`,
    place: "runs",
    scripts: ["rows.js"],
    main: html`${crumbs(["/", "Runs"], [`/runs/${run.id}`, name])}
      <div class="head">
        <h1>Rows</h1>
        <span class="soft">${found(view)}</span>
      </div>
      <div class="notice-place" data-notice>${noticeBox(view.notice)}</div>
      ${filters(view)}
      <section class="panel flush" aria-label="Rows">
        ${
          rows.length === 0
            ? emptyState(
                "No row matches",
                html`Change the filters, or see <a href="/runs/${run.id}/rows">all rows</a>.`,
              )
            : table(view)
        }
      </section>
      <div class="pages">
        <form class="row" id="selected" method="post" action="/runs/${run.id}/rerun" data-action>
          <input type="hidden" name="selected" value="yes" />
          <button ${run.status === "running" || !rows.some(({ status }) => status === "failed") ? "disabled" : ""}>
            Rerun selected
          </button>
          <span class="small soft">
            ${
              run.status === "running"
                ? "Failed rows can be rerun once the run has ended."
                : "Attempts the failed rows that are ticked once more."
            }
          </span>
        </form>
        <nav class="row" aria-label="Pages">
          ${view.firstHref === undefined ? "" : html`<a class="button" href="${view.firstHref}">First page</a>`}
          ${view.nextHref === undefined ? "" : html`<a class="button" href="${view.nextHref}" rel="next">Next page</a>`}
        </nav>
      </div>
      <p class="small soft wide">
        <kbd>j</kbd> and <kbd>k</kbd> move, <kbd>Enter</kbd> opens, <kbd>x</kbd> ticks a failed row, <kbd>/</kbd> searches,
        <kbd>n</kbd> next page.
      </p>`,
  };
}

/** The query as it stands in an address; what is as usual is left out. */
export function rowsHref(run: string, query: RowsQuery, after?: string): string {
  const search = new URLSearchParams({
    ...(query.status === undefined ? {} : { status: query.status }),
    ...(query.code === undefined ? {} : { code: query.code }),
    ...(query.text === undefined ? {} : { text: query.text }),
    ...(query.order === "row" ? {} : { order: query.order }),
    ...(query.descending ? { descending: "true" } : {}),
    ...(after === undefined ? {} : { after }),
  });
  return `/runs/${run}/rows${search.size === 0 ? "" : `?${search}`}`;
}

function found({ run, rows }: RowsView): string {
  return `${formatCount(rows.length)} on this page, of ${plural(run.counts.total, "row")}`;
}

function filters({ run, query, codes }: RowsView): Html {
  const statuses = [
    ["", "Any status"],
    ["succeeded", "Succeeded"],
    ["failed", "Failed"],
    ["in_flight", "In flight"],
    ["pending", "Pending"],
  ] as const;
  const shownCodes = query.code === undefined || codes.includes(query.code) ? codes : [...codes, query.code];
  return html`<form class="inline" method="get" action="/runs/${run.id}/rows" role="search">
    <div class="field">
      <label for="status">Status</label>
      <select id="status" name="status" data-submit>
        ${statuses.map(([value, label]) => option(value, label, query.status ?? ""))}
      </select>
    </div>
    <div class="field">
      <label for="code">Code</label>
      <select id="code" name="code" data-submit>
        ${option("", "Any code", query.code ?? "")} ${shownCodes.map((code) => option(code, code, query.code ?? ""))}
      </select>
    </div>
    <div class="field">
      <label for="text">Text in any column</label>
      <input id="text" name="text" type="search" value="${query.text ?? ""}" />
    </div>
    ${query.order === "row" ? "" : html`<input type="hidden" name="order" value="${query.order}" />`}
    ${query.descending ? html`<input type="hidden" name="descending" value="true" />` : ""}
    <button>Filter</button>
  </form>`;
}

function table(view: RowsView): Html {
  const { inputColumns, outputFields } = view;
  return html`<div class="scroller" tabindex="0" role="region" aria-label="Table of rows">
    <table id="rows">
      <thead>
        <tr>
          <th scope="col"><span class="visually-hidden">Ticked</span></th>
          ${sortable(view, "row", "Row")}
          <th scope="col">Status</th>
          ${inputColumns.map((column) => html`<th scope="col"><span class="cell">${column}</span></th>`)}
          ${outputFields.map((field) => html`<th scope="col"><span class="cell">→ ${field}</span></th>`)}
          ${sortable(view, "attempts", "Attempts", "num")}
          ${sortable(view, "duration", "Took", "num")}
        </tr>
      </thead>
      <tbody>
        ${view.rows.map((row) => line(view, row))}
      </tbody>
    </table>
  </div>`;
}

function sortable({ run, query }: RowsView, order: RowOrder, label: string, tone = ""): Html {
  const isSorted = query.order === order;
  const descending = isSorted ? !query.descending : order !== "row";
  const direction = query.descending ? "descending" : "ascending";
  return html`<th scope="col" class="${tone}" ${isSorted ? html`aria-sort="${direction}"` : ""}>
    <a class="sort" href="${rowsHref(run.id, { ...query, order, descending })}"
      >${label} <span aria-hidden="true">${isSorted ? (query.descending ? "▼" : "▲") : ""}</span></a
    >
  </th>`;
}

function line({ run, inputColumns, outputFields }: RowsView, report: RowReport): Html {
  const { row, status, attempts, waitingUntil } = report;
  const last = attempts.at(-1);
  const outcome = status === "succeeded" || status === "failed" ? last?.outcome : undefined;
  const output: JsonObject = outcome?.status === "succeeded" ? outcome.output : {};
  return html`<tr data-href="/runs/${run.id}/rows/${row}">
    <td>
      ${
        status === "failed"
          ? html`<input type="checkbox" form="selected" name="row" value="${row}" aria-label="Tick row ${row}" />`
          : ""
      }
    </td>
    <th scope="row" class="num"><a href="/runs/${run.id}/rows/${row}">${row}</a></th>
    <td>
      ${badge(status)}
      ${outcome?.status === "failed" ? html`<div class="small mono">${outcome.code}</div>` : ""}
      ${waitingUntil === undefined ? "" : html`<div class="small">waiting until ${moment(waitingUntil)}${waitCause(last)}</div>`}
    </td>
    ${inputColumns.map((column) => cell(report.cells[column] ?? ""))}
    ${outputFields.map((field) => cell(cellOf(output[field])))}
    <td class="num">${attempts.length}</td>
    <td class="num">${last === undefined ? "–" : formatDuration(took(attempts))}</td>
  </tr>`;
}

function waitCause(last: Attempt | undefined): Html | "" {
  return last?.outcome.status === "failed" ? html` after <span class="mono">${last.outcome.code}</span>` : "";
}

// As rows are ordered by it: all attempts together.
function took(attempts: RowReport["attempts"]): number {
  return attempts.reduce((sum, { startedAt, endedAt }) => sum + endedAt - startedAt, 0);
}

// `dir="auto"` keeps right-to-left text from turning its neighbours around.
function cell(text: string): Html {
  const shown = shorten(text, longestCell);
  return html`<td><span class="cell" dir="auto" title="${shown}">${shown}</span></td>`;
}
