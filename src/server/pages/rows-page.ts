import { html } from "hono/html";
import type { Attempt } from "../../core/attempt.ts";
import { formatDuration } from "../../core/duration.ts";
import type { RowOrder, RowQuery, RowReport } from "../../core/engine.ts";
import type { ErrorCode } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Run } from "../../core/run.ts";
import { cellOf, formatCount, plural, shorten } from "./format.ts";
import type { Page } from "./frame.ts";
import {
  badge,
  crumbs,
  emptyState,
  field,
  head,
  moment,
  option,
  scroller,
  spoken,
  statusWord,
  table,
  type Html,
} from "./parts.ts";

/** Which rows are shown, and in which order. */
export interface RowsQuery extends Pick<RowQuery, "status" | "code" | "text"> {
  readonly order: RowOrder;
  readonly descending: boolean;
}

/** What the table of rows shows. */
export interface RowsView {
  readonly run: Run;
  readonly query: RowsQuery;
  /** Fields of the agent's output, in order. */
  readonly outputFields: readonly string[];
  readonly rows: readonly RowReport[];
  /** Codes that rows of this run failed with. */
  readonly codes: readonly ErrorCode[];
  readonly firstHref?: string;
  readonly nextHref?: string;
}

/** Width of the longest cell text that goes into a page of rows. */
const longestCell = 300;

/** The rows of a run as a table. */
export function rowsPage(view: RowsView): Page {
  const { run, rows, firstHref, nextHref } = view;
  const name = run.name ?? run.id;
  const isRunning = run.status === "running";
  const canRerun = !isRunning && rows.some(({ status }) => status === "failed");
  return {
    title: `Rows of ${name}`,
    place: "runs",
    scripts: ["rows.js"],
    main: html`${crumbs(["/", "Runs"], [`/runs/${run.id}`, name])}
      <div class="head">
        <h1>Rows</h1>
        <span class="soft">${formatCount(rows.length)} on this page, of ${plural(run.counts.total, "row")}</span>
      </div>
      <div class="notice-place" data-notice></div>
      ${filters(view)}
      <section class="panel flush" id="rows" aria-label="Rows">
        ${
          rows.length === 0
            ? emptyState("No rows match", html`Change the filters, or see <a href="/runs/${run.id}/rows">all rows</a>.`)
            : scroller("Table of rows", rowTable(view))
        }
      </section>
      <div class="pages">
        <form class="row" id="selected" method="post" action="/runs/${run.id}/rerun" data-action>
          <input type="hidden" name="selected" value="yes" />
          <button ${!canRerun && "disabled"}>Rerun selected</button>
          <span class="small soft">
            ${
              isRunning
                ? "Failed rows can be rerun once the run has ended."
                : "Attempts the failed rows that are selected once more."
            }
          </span>
        </form>
        <nav class="row" aria-label="Pages">
          ${firstHref && html`<a class="button" href="${firstHref}">First page</a>`}
          ${nextHref && html`<a class="button" href="${nextHref}" rel="next">Next page</a>`}
        </nav>
      </div>
      <p class="small soft wide">
        <kbd>j</kbd> and <kbd>k</kbd> move, <kbd>Enter</kbd> opens, <kbd>x</kbd> selects a failed row, <kbd>/</kbd> searches,
        <kbd>n</kbd> next page.
      </p>`,
  };
}

/** Address of a page of rows; what is as usual is left out. */
export function rowsHref(run: string, query: RowsQuery, after?: string): string {
  const { status, code, text, order, descending } = query;
  const search = new URLSearchParams();
  const chosen = {
    status,
    code,
    text,
    order: order === "row" ? undefined : order,
    descending: descending ? "true" : undefined,
    after,
  };
  for (const [name, value] of Object.entries(chosen)) if (value !== undefined) search.set(name, value);
  return `/runs/${run}/rows${search.size === 0 ? "" : `?${search}`}`;
}

function filters({ run, query, codes }: RowsView): Html {
  const [status, code] = [query.status ?? "", query.code ?? ""];
  const shownCodes = new Set<string>(query.code === undefined ? codes : [...codes, query.code]);
  return html`<form class="inline" method="get" action="/runs/${run.id}/rows" role="search">
    ${field(
      "status",
      "Status",
      html`<select id="status" name="status" data-submit>
        ${option("", "Any status", status)}
        ${(["succeeded", "failed", "in_flight", "pending"] as const).map((one) => option(one, statusWord(one), status))}
      </select>`,
    )}
    ${field(
      "code",
      "Code",
      html`<select id="code" name="code" data-submit>
        ${option("", "Any code", code)} ${[...shownCodes].map((one) => option(one, one, code))}
      </select>`,
    )}
    ${field("text", "Text in any column", html`<input id="text" name="text" type="search" value="${query.text ?? ""}" />`)}
    ${query.order !== "row" && html`<input type="hidden" name="order" value="${query.order}" />`}
    ${query.descending && html`<input type="hidden" name="descending" value="true" />`}
    <button>Filter</button>
  </form>`;
}

function rowTable(view: RowsView): Html {
  const { run, rows, outputFields } = view;
  const columns = Object.keys(rows[0]?.cells ?? {});
  return table(
    [
      head(spoken("Selected")),
      sortable(view, "row", "Row"),
      head("Status"),
      ...columns.map((column) => head(html`<span class="cell">${column}</span>`)),
      ...outputFields.map((name) => head(html`<span class="cell">→ ${name}</span>`)),
      sortable(view, "attempts", "Attempts", "num"),
      sortable(view, "duration", "Took", "num"),
    ],
    rows.map((row) => line(run.id, row, columns, outputFields)),
  );
}

function sortable({ run, query }: RowsView, order: RowOrder, label: string, look = ""): Html {
  const isSorted = query.order === order;
  const descending = isSorted ? !query.descending : order !== "row";
  const direction = query.descending ? "descending" : "ascending";
  return html`<th scope="col" class="${look}" ${isSorted && html`aria-sort="${direction}"`}>
    <a class="sort" href="${rowsHref(run.id, { ...query, order, descending })}"
      >${label} <span aria-hidden="true">${isSorted ? (query.descending ? "▼" : "▲") : ""}</span></a
    >
  </th>`;
}

function line(run: string, report: RowReport, columns: readonly string[], outputFields: readonly string[]): Html {
  const { row, status, attempts, waitingUntil } = report;
  const last = attempts.at(-1);
  const outcome = status === "succeeded" || status === "failed" ? last?.outcome : undefined;
  const output: JsonObject = outcome?.status === "succeeded" ? outcome.output : {};
  return html`<tr>
    <td>
      ${status === "failed" && html`<input type="checkbox" form="selected" name="row" value="${row}" aria-label="Select row ${row}" />`}
    </td>
    <th scope="row" class="num"><a href="/runs/${run}/rows/${row}">${row}</a></th>
    <td>
      ${badge(status)}
      ${outcome?.status === "failed" && html`<div class="small mono">${outcome.code}</div>`}
      ${waitingUntil !== undefined && html`<div class="small">waiting until ${moment(waitingUntil)}${waitCause(last)}</div>`}
    </td>
    ${columns.map((column) => cell(report.cells[column] ?? ""))}
    ${outputFields.map((name) => cell(cellOf(output[name])))}
    <td class="num">${attempts.length}</td>
    <td class="num">${last === undefined ? "–" : formatDuration(took(attempts))}</td>
  </tr>`;
}

function waitCause(last: Attempt | undefined): Html | false {
  return last?.outcome.status === "failed" && html` after <span class="mono">${last.outcome.code}</span>`;
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
