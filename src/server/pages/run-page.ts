import { html } from "hono/html";
import { formatDuration } from "../../core/duration.ts";
import type { RunLimits, RunSurvey } from "../../core/engine.ts";
import { shownStatus, type Run, type WaitingRows } from "../../core/run.ts";
import type { RunView } from "../run-view.ts";
import { formatCost, formatCount, formatLeft, formatRate, formatShare, plural } from "./format.ts";
import type { Page } from "./frame.ts";
import { apiHref, catalogHref } from "./links.ts";
import {
  badge,
  crumbs,
  figure,
  head,
  moment,
  noticeBox,
  pairs,
  panel,
  progressBar,
  spoken,
  statusWord,
  table,
  type Html,
  type Notice,
} from "./parts.ts";
import { rateSeries } from "./rate-series.ts";
import { runControls } from "./run-controls.ts";

/** What the page of one run shows. */
export interface RunPageView {
  readonly run: RunView;
  readonly limits: RunLimits;
  /** Price of one attempt. */
  readonly priceUsd?: number;
  readonly survey: RunSurvey;
  /** Address of the plan that this run is a sample of. */
  readonly planHref?: string;
  /** What was just done with the run; shown with its controls. */
  readonly did?: Notice;
}

/** One run, live. */
export function runPage(view: RunPageView): Page {
  const { run, limits, survey, planHref } = view;
  return {
    title: `${run.name ?? run.id}: ${statusWord(shownStatus(run))}`,
    place: "runs",
    scripts: ["live-run.js"],
    styles: ["uplot.css"],
    main: html`${crumbs(["/", "Runs"])}
      <div class="head">
        <h1>${run.name ?? run.id}</h1>
        <span id="status" data-refresh>${badge(shownStatus(run))}</span>
        <a class="button push" href="/runs/${run.id}/rows">All rows</a>
      </div>
      ${planHref && sampleBox(run, planHref)} ${panel("progress", "Progress", progress(view))}
      <div class="columns even">
        ${panel(
          "controls",
          "Controls",
          html`<div id="controls" data-refresh>${runControls(run, limits)}</div>
            <div class="notice-place" data-notice>${view.did && noticeBox(view.did)}</div>`,
        )}
        ${panel("rate", "Rows per second", chart(survey))}
      </div>
      ${panel("failures", "Failures", liveBox("failures", "Failures by code", failures(run, survey)))}
      <div class="columns even">
        ${panel("slow", "Slowest rows", liveBox("slowest", "Rows that took longest", slowest(run, survey)))}
        ${panel("about", "About this run", liveBox("about", "Places and times of the run", about(run, survey)))}
      </div>
      ${panel("downloads", "Downloads", html`<div id="downloads" data-refresh>${downloads(run)}</div>`)}`,
  };
}

function liveBox(id: string, label: string, content: Html): Html {
  return html`<div class="live-box" id="${id}" data-refresh tabindex="0" role="region" aria-label="${label}">${content}</div>`;
}

/** How far a run is, in words. */
function progressSentence({ counts, secondsLeft }: RunView): string {
  const done = counts.succeeded + counts.failed;
  const left = secondsLeft === undefined ? "" : `, ${formatLeft(secondsLeft)} left`;
  return `${formatCount(done)} of ${plural(counts.total, "row")} done, ${formatCount(counts.failed)} failed${left}`;
}

function waitingLine(run: string, { rows, until, row, code, message }: WaitingRows): Html {
  return html`<p class="small soft break">
    ${plural(rows, "row")} waiting for another attempt, <a href="/runs/${run}/rows/${row}">row ${row}</a> until ${moment(until)}
    after <span class="mono">${code}</span>: <span class="clamped" dir="auto">${message}</span>
  </p>`;
}

function progress({ run, survey, priceUsd }: RunPageView): Html {
  const { counts } = run;
  const costOf = (attempts: number): string => formatCost(priceUsd && attempts * priceUsd);
  return html`<div
      id="live"
      data-run="${run.id}"
      data-status="${shownStatus(run)}"
      data-events="${apiHref("runs", run.id, "events")}"
    >
      <div id="bar" data-refresh>
        ${progressBar(counts)}
        <p class="small soft status-line" id="progress-sentence">${progressSentence(run)}</p>
        ${run.waiting && waitingLine(run.id, run.waiting)}
      </div>
      <p class="visually-hidden" id="progress-said" aria-live="polite"></p>
    </div>
    <dl class="figures" id="figures" data-refresh>
      ${figure("Succeeded", counts.succeeded, "succeeded", "ok")} ${figure("Failed", counts.failed, "failed", "bad")}
      ${figure("In flight", counts.inFlight, "inFlight", "info")} ${figure("Pending", counts.pending, "pending", "quiet")}
      ${figure("Success rate", formatShare(counts.succeeded, counts.succeeded + counts.failed), "share")}
      ${figure("Rate", formatRate(run.rowsPerSecond), "rate")}
      ${figure("Time left", formatLeft(run.secondsLeft).replace("about ", "~"), "left")}
      ${figure("Cost so far", costOf(survey.attempts), "cost")}
      ${figure("Cost at the end", costOf(survey.attempts + counts.pending + counts.inFlight), "projected")}
    </dl>`;
}

function chart({ timeline }: RunSurvey): Html {
  const { at, perSecond } = rateSeries(timeline);
  return html`<div class="chart" id="chart" role="img" aria-label="Rows per second over the time of the run">
      <div class="empty">
        <p>${at.length === 0 ? "No row has ended yet." : "The chart needs scripts."}</p>
      </div>
    </div>
    <div id="measured" data-refresh>
      <span id="timeline" hidden data-at="${JSON.stringify(at)}" data-per-second="${JSON.stringify(perSecond)}"></span>
    </div>`;
}

function sampleBox({ id, status }: Run, href: string): Html {
  return panel(
    "sample",
    "This is a sample",
    html`<p>
        ${status === "running" ? "Its rows are in flight." : html`Look at <a href="/runs/${id}/rows">its rows</a>.`} When they
        are what you want, run the whole table from its plan.
      </p>
      <p><a class="button primary" href="${href}">Back to the plan</a></p>`,
  );
}

function failures(run: Run, { failures: groups }: RunSurvey): Html {
  if (groups.length === 0) {
    return html`<p class="soft">
      ${run.counts.failed === 0 ? "No row has failed." : "They will be listed here in a moment."}
    </p>`;
  }
  return table(
    [head("Code"), head("Rows", "num"), head("What happened, and what to do"), head(spoken("Actions"))],
    groups.map(
      ({ code, count, message, hint }) =>
        html`<tr>
          <th scope="row">
            <a class="mono" href="/runs/${run.id}/rows?status=failed&code=${encodeURIComponent(code)}">${code}</a>
          </th>
          <td class="num">${formatCount(count)}</td>
          <td class="break">
            <span class="clamped" dir="auto">${message}</span>
            ${hint && html`<div class="soft">${hint}</div>`}
          </td>
          <td>
            <form method="post" action="/runs/${run.id}/rerun" data-action>
              <input type="hidden" name="code" value="${code}" />
              <button class="small" ${run.status === "running" && "disabled"}>
                Rerun${spoken(` rows that failed with ${code}`)}
              </button>
            </form>
          </td>
        </tr>`,
    ),
  );
}

function slowest(run: Run, { slowest: rows }: RunSurvey): Html {
  if (rows.length === 0) return html`<p class="soft">No row has ended yet.</p>`;
  return table(
    [head("Row"), head("Attempts", "num"), head("Took", "num")],
    rows.map(
      ({ row, durationMs, attempts }) =>
        html`<tr>
          <th scope="row"><a href="/runs/${run.id}/rows/${row}">Row ${row}</a></th>
          <td class="num">${attempts}</td>
          <td class="num">${formatDuration(durationMs)}</td>
        </tr>`,
    ),
  );
}

function about(run: Run, survey: RunSurvey): Html {
  const hasEnded = run.endedAt !== undefined && run.status !== "running";
  const hasWorkers = run.workers !== undefined || survey.workers.length > 0;
  return pairs([
    ["Run", run.id, "mono"],
    ["Agent", html`<a href="${catalogHref("agents", run.agent)}">${run.agent}</a>`],
    ["Input", run.inputUri, "mono"],
    ["Output", run.outputUri, "mono"],
    ["Started", moment(run.createdAt)],
    ["Ended", hasEnded ? moment(run.endedAt ?? 0) : undefined],
    ["Reason", run.reason],
    ["Workers online", hasWorkers ? workers(run, survey) : undefined],
  ]);
}

function workers({ workers: online = 0, status }: Run, { workers: known }: RunSurvey): Html {
  return html`${online === 0 && status === "running" ? "None: rows wait until one starts (rowcall worker)." : formatCount(online)}
  ${known.map(
    ({ worker, attempts, lost }) =>
      html`<div class="small">
        <span class="mono">${worker}</span> · ${plural(attempts, "attempt")}${lost === 0 ? "" : `, lost during ${formatCount(lost)}`}
      </div>`,
  )}`;
}

function downloads({ id, status, outputUri, counts }: Run): Html {
  if (counts.succeeded + counts.failed === 0)
    return html`<p class="soft">The table so far can be downloaded once a row is final.</p>`;
  const isDone = status === "succeeded";
  const link = (query: string, label: string): Html =>
    html`<li><a class="button" href="${apiHref("runs", id, "table")}?${query}" download>${label}</a></li>`;
  return html`<ul class="downloads">
      ${isDone && outputUri !== undefined ? link("which=final", "CSV") : link("which=now", "CSV so far")}
      ${link("which=now&format=jsonl", isDone ? "JSONL" : "JSONL so far")}
      ${counts.failed > 0 && link("which=failed", "Failed rows only")}
    </ul>
    ${status === "running" && html`<p class="small soft">Rows that are not final yet are written as PENDING.</p>`}`;
}
