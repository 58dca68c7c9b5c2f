import { html } from "hono/html";
import { runStatuses, type RunStatus } from "../../core/run.ts";
import type { RunView } from "../run-view.ts";
import { formatCount, formatLeft, formatRate, formatShare } from "./format.ts";
import type { Html, Page } from "./frame.ts";
import {
  badge,
  emptyState,
  moment,
  noticeBox,
  option,
  progressBar,
  runStatus,
  scroller,
  statusWord,
  type Notice,
} from "./parts.ts";

/** What the list of runs shows. */
export interface RunsView {
  readonly runs: readonly RunView[];
  /** The words that were searched for; empty for all. */
  readonly search: string;
  /** The only status that is shown; all when absent. */
  readonly status?: RunStatus;
  /** Address of the next page of runs. */
  readonly nextHref?: string;
  readonly notice?: Notice;
}

/** The list of runs, newest first. */
export function runsPage(view: RunsView): Page {
  const isLive = view.runs.some(({ status }) => status === "running");
  return {
    title: "Runs",
    place: "runs",
    scripts: ["live-page.js"],
    main: html`${noticeBox(view.notice)}
      <div class="head">
        <h1>Runs</h1>
        <form class="inline push" method="get" action="/" role="search">
          <label class="visually-hidden" for="status">Status</label>
          <select id="status" name="status" data-submit>
            ${option("", "Any status", view.status ?? "")}
            ${runStatuses.map((status) => option(status, statusWord(status), view.status ?? ""))}
          </select>
          <label class="visually-hidden" for="search">Search runs by name, id, agent or input</label>
          <input id="search" name="q" type="search" value="${view.search}" placeholder="Name, id, agent, input" />
          <button>Search</button>
        </form>
        <a class="button primary" href="/new">New batch</a>
      </div>
      <section class="panel flush" aria-label="Runs" id="runs" data-refresh ${isLive ? html`data-live-every="3000"` : ""}>
        ${view.runs.length === 0 ? nothing(view) : scroller("Table of runs", table(view.runs))}
      </section>
      ${view.nextHref === undefined ? "" : html`<p><a class="button" href="${view.nextHref}">Older runs</a></p>`}`,
  };
}

function nothing({ search, status }: RunsView): Html {
  return search === "" && status === undefined
    ? emptyState(
        "No runs yet",
        "A run calls an agent once for every row of a table and writes the table back, enriched.",
        html`<a class="button primary" href="/new">Start with a CSV</a>`,
      )
    : emptyState(
        search === "" ? "No run has this status" : `No run matches “${search}”`,
        "Look for a part of a name, an id, an agent or an input, or choose any status.",
      );
}

function table(runs: readonly RunView[]): Html {
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Run</th>
        <th scope="col">Status</th>
        <th scope="col">Progress</th>
        <th scope="col" class="num">Succeeded</th>
        <th scope="col" class="num wide">Rate</th>
        <th scope="col" class="wide">Time left</th>
        <th scope="col" class="wide">Started</th>
      </tr>
    </thead>
    <tbody>
      ${runs.map(line)}
    </tbody>
  </table>`;
}

function line(run: RunView): Html {
  const { counts, rowsPerSecond, secondsLeft } = run;
  const done = counts.succeeded + counts.failed;
  return html`<tr>
    <th scope="row" class="break">
      <a href="/runs/${run.id}">${run.name ?? run.id}</a>
      <div class="small soft">${run.agent}</div>
    </th>
    <td>${badge(runStatus(run))}</td>
    <td class="progress-cell">
      <span class="small">${formatCount(done)} of ${formatCount(counts.total)}</span>
      ${progressBar(counts)}
    </td>
    <td class="num">
      ${formatShare(counts.succeeded, done)}
      ${counts.failed === 0 ? "" : html`<div class="small soft">${formatCount(counts.failed)} failed</div>`}
    </td>
    <td class="num wide">${formatRate(rowsPerSecond)}</td>
    <td class="wide">${formatLeft(secondsLeft)}</td>
    <td class="wide">${moment(run.createdAt)}</td>
  </tr>`;
}
