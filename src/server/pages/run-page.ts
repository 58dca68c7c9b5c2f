import { html } from "hono/html";
import { formatDuration } from "../../core/duration.ts";
import type { RunLimits, RunSurvey } from "../../core/engine.ts";
import type { WaitingRows } from "../../core/run.ts";
import type { RunView } from "../run-view.ts";
import { formatCost, formatCount, formatLeft, formatRate, formatShare, plural } from "./format.ts";
import { rateSeries } from "./rate-series.ts";
import type { Html, Page } from "./frame.ts";
import { badge, crumbs, figure, moment, noticeBox, progressBar, runStatus, statusWord, type Notice } from "./parts.ts";
import { runControls } from "./run-controls.ts";

/** A file that can be downloaded. */
export interface Download {
  readonly href: string;
  readonly label: string;
}

/** What the page of one run shows. */
export interface RunPageView {
  readonly run: RunView;
  readonly limits: RunLimits;
  readonly costUsd?: number;
  /** At the end, when every row is decided. */
  readonly projectedCostUsd?: number;
  readonly survey: RunSurvey;
  readonly downloads: readonly Download[];
  /** Address of the stream of what happens. */
  readonly eventsHref: string;
  /** Address of the plan that this run is a sample of. */
  readonly planHref?: string;
  readonly notice?: Notice;
}

/** One run, live. */
export function runPage(view: RunPageView): Page {
  const { run } = view;
  return {
    title: `${run.name ?? run.id}: ${statusWord(runStatus(run))}`,
    place: "runs",
    scripts: ["live-run.js"],
    styles: ["uplot.css"],
    main: html`${crumbs(["/", "Runs"])}
      <div class="head">
        <h1>${run.name ?? run.id}</h1>
        <span id="status" data-refresh>${badge(runStatus(run))}</span>
        <a class="button push" href="/runs/${run.id}/rows">All rows</a>
      </div>
      ${view.planHref === undefined ? "" : sampleBox(view, view.planHref)}
      <section class="panel" aria-labelledby="progress-title">
        <h2 id="progress-title">Progress</h2>
        ${progress(view)}
      </section>
      <div class="columns even">
        <section class="panel" aria-labelledby="controls-title">
          <h2 id="controls-title">Controls</h2>
          <div id="controls" data-refresh>
            ${runControls({ run, limits: view.limits })}
          </div>
          <div class="notice-place" data-notice>${noticeBox(view.notice)}</div>
        </section>
        <section class="panel" aria-labelledby="rate-title">
          <h2 id="rate-title">Rows per second</h2>
          ${chart(view)}
        </section>
      </div>
      <section class="panel" aria-labelledby="failures-title">
        <h2 id="failures-title">Failures</h2>
        <div class="live-box" id="failures" data-refresh tabindex="0" role="region" aria-label="Failures by code">${failures(view)}</div>
      </section>
      <div class="columns even">
        <section class="panel" aria-labelledby="slow-title">
          <h2 id="slow-title">Slowest rows</h2>
          <div class="live-box" id="slowest" data-refresh tabindex="0" role="region" aria-label="Rows that took longest">${slowest(view)}</div>
        </section>
        <section class="panel" aria-labelledby="about-title">
          <h2 id="about-title">About this run</h2>
          <div class="live-box" id="about" data-refresh tabindex="0" role="region" aria-label="Places and times of the run">${about(view)}</div>
        </section>
      </div>
      <section class="panel" aria-labelledby="downloads-title">
        <h2 id="downloads-title">Downloads</h2>
        <div id="downloads" data-refresh>${downloads(view)}</div>
      </section>`,
  };
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

function progress(view: RunPageView): Html {
  const { run } = view;
  const { counts } = run;
  return html`<div
      id="live"
      data-run="${run.id}"
      data-status="${runStatus(run)}"
      data-events="${view.eventsHref}"
      data-total="${counts.total}"
    >
      <div id="bar" data-refresh>
        ${progressBar(counts)}
        <p class="small soft status-line" id="progress-sentence">${progressSentence(run)}</p>
        ${run.waiting === undefined ? "" : waitingLine(run.id, run.waiting)}
      </div>
      <p class="visually-hidden" id="progress-said" aria-live="polite"></p>
    </div>
    <dl class="figures" id="figures" data-refresh>
      ${figure("Succeeded", counts.succeeded, "succeeded", "ok")} ${figure("Failed", counts.failed, "failed", "bad")}
      ${figure("In flight", counts.inFlight, "inFlight", "info")} ${figure("Pending", counts.pending, "pending", "quiet")}
      ${figure("Success rate", formatShare(counts.succeeded, counts.succeeded + counts.failed), "share")}
      ${figure("Rate", formatRate(run.rowsPerSecond), "rate")}
      ${figure("Time left", formatLeft(run.secondsLeft).replace("about ", "~"), "left")}
      ${figure("Cost so far", formatCost(view.costUsd), "cost")}
      ${figure("Cost at the end", formatCost(view.projectedCostUsd), "projected")}
    </dl>`;
}

function chart({ survey: { timeline } }: RunPageView): Html {
  const { at, perSecond } = rateSeries(timeline);
  return html`<div class="chart" id="chart" role="img" aria-label="Rows per second over the time of the run">
      <div class="empty">
        <p>${at.length === 0 ? "Nothing has been measured yet." : "The chart is drawn by a script."}</p>
      </div>
    </div>
    <div id="measured" data-refresh>
      <span id="timeline" hidden data-at="${JSON.stringify(at)}" data-per-second="${JSON.stringify(perSecond)}"></span>
    </div>`;
}

function sampleBox({ run }: RunPageView, href: string): Html {
  const isGoing = run.status === "running";
  return html`<section class="panel" aria-labelledby="sample-title">
    <h2 id="sample-title">This is a sample</h2>
    <p>
      ${isGoing ? "Its rows are being run." : html`Look at <a href="/runs/${run.id}/rows">its rows</a>.`} When they are what
      you want, run the whole table from its plan.
    </p>
    <p><a class="button primary" href="${href}">Back to the plan</a></p>
  </section>`;
}

function failures({ run, survey: { failures: groups } }: RunPageView): Html {
  if (groups.length === 0) {
    return html`<p class="soft">
      ${run.counts.failed === 0 ? "No row has failed." : "They will be listed here in a moment."}
    </p>`;
  }
  const isGoing = run.status === "running";
  return html`<table>
      <thead>
        <tr>
          <th scope="col">Code</th>
          <th scope="col" class="num">Rows</th>
          <th scope="col">What happened, and what to do</th>
          <th scope="col"><span class="visually-hidden">Actions</span></th>
        </tr>
      </thead>
      <tbody>
        ${groups.map(
          ({ code, count, message, hint }) =>
            html`<tr>
              <th scope="row">
                <a class="mono" href="/runs/${run.id}/rows?status=failed&code=${encodeURIComponent(code)}">${code}</a>
              </th>
              <td class="num">${formatCount(count)}</td>
              <td class="break">
                <span class="clamped" dir="auto">${message}</span>
                ${hint === undefined ? "" : html`<div class="soft">${hint}</div>`}
              </td>
              <td>
                <form method="post" action="/runs/${run.id}/rerun" data-action>
                  <input type="hidden" name="code" value="${code}" />
                  <button class="small" ${isGoing ? "disabled" : ""}>
                    Rerun<span class="visually-hidden"> rows that failed with ${code}</span>
                  </button>
                </form>
              </td>
            </tr>`,
        )}
      </tbody>
    </table>`;
}

function slowest({ run, survey: { slowest: rows } }: RunPageView): Html {
  if (rows.length === 0) return html`<p class="soft">No row has ended yet.</p>`;
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Row</th>
        <th scope="col" class="num">Attempts</th>
        <th scope="col" class="num">Took</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ({ row, durationMs, attempts }) =>
          html`<tr>
            <th scope="row"><a href="/runs/${run.id}/rows/${row}">Row ${row}</a></th>
            <td class="num">${attempts}</td>
            <td class="num">${formatDuration(durationMs)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function about({ run, survey }: RunPageView): Html {
  return html`<dl class="pairs">
    <dt>Run</dt>
    <dd class="mono">${run.id}</dd>
    <dt>Agent</dt>
    <dd><a href="/agents/${encodeURIComponent(run.agent)}">${run.agent}</a></dd>
    <dt>Input</dt>
    <dd class="mono">${run.inputUri}</dd>
    ${run.outputUri === undefined ? "" : html`<dt>Output</dt><dd class="mono">${run.outputUri}</dd>`}
    <dt>Started</dt>
    <dd>${moment(run.createdAt)}</dd>
    ${run.endedAt === undefined || run.status === "running" ? "" : html`<dt>Ended</dt><dd>${moment(run.endedAt)}</dd>`}
    ${run.reason === undefined ? "" : html`<dt>Reason</dt><dd>${run.reason}</dd>`}
    ${run.workers === undefined && survey.workers.length === 0 ? "" : workerPairs(run, survey)}
  </dl>`;
}

function workerPairs({ workers: onLine = 0, status }: RunView, { workers }: RunSurvey): Html {
  return html`<dt>Workers on line</dt>
    <dd>
      ${onLine === 0 && status === "running" ? "None: rows wait until one starts (rowcall worker)." : formatCount(onLine)}
      ${workers.map(
        ({ worker, attempts, lost }) =>
          html`<div class="small">
            <span class="mono">${worker}</span> · ${plural(attempts, "attempt")}${lost === 0 ? "" : `, lost during ${formatCount(lost)}`}
          </div>`,
      )}
    </dd>`;
}

function downloads({ downloads: files, run }: RunPageView): Html {
  if (files.length === 0) return html`<p class="soft">The table so far can be downloaded once a row is decided.</p>`;
  return html`<ul class="downloads">
      ${files.map(({ href, label }) => html`<li><a class="button" href="${href}" download>${label}</a></li>`)}
    </ul>
    ${
      run.status === "running"
        ? html`<p class="small soft">The run is going: rows that are not decided yet are written as PENDING.</p>`
        : ""
    }`;
}
