import { html } from "hono/html";
import { runStatuses, shownStatus, type RunStatus } from "../../core/run.ts";
import type { RunView } from "../run-view.ts";
import { formatCount, formatLeft, formatRate, formatShare } from "./format.ts";
import type { Page } from "./frame.ts";
import {
  badge,
  emptyState,
  head,
  moment,
  option,
  progressBar,
  scroller,
  statusWord,
  table,
  type Html,
} from "./parts.ts";

/** What the list of runs shows. */
export interface RunsView {
  readonly runs: readonly RunView[];
  /** The words that were searched for. */
  readonly search?: string;
  /** The only status that is shown. */
  readonly status?: RunStatus;
  /** Address of the next page of runs. */
  readonly nextHref?: string;
}

/** The list of runs, newest first. */
export function runsPage({ runs, search = "", status, nextHref }: RunsView): Page {
  const isLive = runs.some((run) => run.status === "running");
  const chosen = status ?? "";
  return {
    title: "Runs",
    place: "runs",
    scripts: ["live-page.js"],
    main: html`<div class="head">
        <h1>Runs</h1>
        <form class="inline push" method="get" action="/" role="search">
          <label class="visually-hidden" for="status">Status</label>
          <select id="status" name="status" data-submit>
            ${option("", "Any status", chosen)} ${runStatuses.map((one) => option(one, statusWord(one), chosen))}
          </select>
          <label class="visually-hidden" for="search">Search runs by name, id, agent or input</label>
          <input id="search" name="q" type="search" value="${search}" placeholder="Name, id, agent, input" />
          <button>Search</button>
        </form>
        <a class="button primary" href="/new">New batch</a>
      </div>
      <section class="panel flush" aria-label="Runs" id="runs" data-refresh ${isLive && html`data-live-every="3000"`}>
        ${runs.length === 0 ? nothing(search, status) : scroller("Table of runs", table(heads, runs.map(line)))}
      </section>
      ${nextHref && html`<p><a class="button" href="${nextHref}">Older runs</a></p>`}`,
  };
}

function nothing(search: string, status: RunStatus | undefined): Html {
  return search === "" && status === undefined
    ? emptyState(
        "No runs yet",
        "A run calls an agent once for every row of a table and writes the table back, enriched.",
        html`<a class="button primary" href="/new">Start with a CSV</a>`,
      )
    : emptyState(
        search === "" ? "No run has this status" : `No run matches “${search}”`,
        "Search for a part of a name, an id, an agent or an input, or choose any status.",
      );
}

const heads = [
  head("Run"),
  head("Status"),
  head("Progress"),
  head("Succeeded", "num"),
  head("Rate", "num wide"),
  head("Time left", "wide"),
  head("Started", "wide"),
];

function line(run: RunView): Html {
  const { counts } = run;
  const done = counts.succeeded + counts.failed;
  return html`<tr>
    <th scope="row" class="break">
      <a href="/runs/${run.id}">${run.name ?? run.id}</a>
      <div class="small soft">${run.agent}</div>
    </th>
    <td>${badge(shownStatus(run))}</td>
    <td class="progress-cell">
      <span class="small">${formatCount(done)} of ${formatCount(counts.total)}</span>
      ${progressBar(counts)}
    </td>
    <td class="num">
      ${formatShare(counts.succeeded, done)}
      ${counts.failed > 0 && html`<div class="small soft">${formatCount(counts.failed)} failed</div>`}
    </td>
    <td class="num wide">${formatRate(run.rowsPerSecond)}</td>
    <td class="wide">${formatLeft(run.secondsLeft)}</td>
    <td class="wide">${moment(run.createdAt)}</td>
  </tr>`;
}
