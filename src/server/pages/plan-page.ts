import { html } from "hono/html";
import { formatDuration } from "../../core/duration.ts";
import type { PlanCheck } from "../../app/check.ts";
import type { PlanReport } from "../../app/plan.ts";
import { formatCost, formatCount, plural } from "./format.ts";
import type { Html, Page } from "./frame.ts";
import { validityWords } from "./new-batch-pages.ts";
import { badge, crumbs, figure, noticeBox, type Notice } from "./parts.ts";

/** What the plan of a new batch shows. */
export interface PlanView {
  readonly plan: PlanReport;
  readonly fileName: string;
  /** Address of this page: a sample leads back to it. */
  readonly here: string;
  /** Address of the mapping. */
  readonly mappingHref: string;
  /** Address that the forms go to. */
  readonly startHref: string;
  /** Rows of a sample when nothing else is said. */
  readonly sampleRows: number;
  readonly notice?: Notice;
}

/** Third step: what a run would do, a sample, the run. */
export function planPage(view: PlanView): Page {
  const { plan, fileName } = view;
  return {
    title: "Plan of the new batch",
    place: "new",
    main: html`${crumbs(["/new", "New batch"], [view.mappingHref, "Columns"])}
      <div class="head">
        <h1>The plan for ${fileName}</h1>
        ${plan.runnable ? badge("passed", "Ready") : badge("failed", "Not yet")}
      </div>
      ${noticeBox(view.notice)}
      <section class="panel" aria-labelledby="sum-title">
        <h2 id="sum-title">${validityWords(plan.rows, plan.invalid.count)}</h2>
        <dl class="figures">
          ${figure("Rows", plan.rows)} ${figure("Not valid", plan.invalid.count)}
          ${figure("Duplicates", plan.duplicates.count)}
          ${figure("Takes about", plan.estimate.seconds === undefined ? "–" : formatDuration(plan.estimate.seconds * 1000))}
          ${figure("Costs about", formatCost(plan.estimate.costUsd))} ${figure("Rows at once", plan.estimate.concurrency)}
        </dl>
        <p class="small soft">${plan.estimate.basis.replaceAll(/: give --[a-z-]+/g, "")}</p>
      </section>
      ${startPanel(view)}
      <div class="columns">
        <section class="panel" aria-labelledby="checks-title">
          <h2 id="checks-title">Checks</h2>
          ${checks(plan.checks)}
        </section>
        <div class="columns">
          ${invalidRows(plan)} ${duplicateRows(plan)}
          <section class="panel" aria-labelledby="inputs-title">
            <h2 id="inputs-title">The first inputs, as the agent gets them</h2>
            ${plan.sample.length === 0 ? html`<p class="soft">No row makes a valid input.</p>` : plan.sample.map(sampleInput)}
          </section>
        </div>
      </div>`,
  };
}

function startPanel({ plan, here, mappingHref, startHref, sampleRows }: PlanView): Html {
  if (!plan.runnable) {
    return html`<section class="panel" aria-labelledby="start-title">
      <h2 id="start-title">It cannot run yet</h2>
      <p>The checks below that failed say what to change.</p>
      <p><a class="button" href="${mappingHref}">Change the columns</a></p>
    </section>`;
  }
  return html`<section class="panel" aria-labelledby="start-title">
    <h2 id="start-title">Run it</h2>
    <form class="inline" method="post" action="${startHref}" data-busy="Starting…"> <input type="hidden" name="plan" value="${here}" />
      <div class="field">
        <label for="limit">Rows of the sample</label>
        <input id="limit" name="limit" type="number" min="1" max="${Math.max(1, plan.rows)}" value="${sampleRows}" required />
      </div>
      <button>Run the first rows as a sample</button>
    </form>
    <form method="post" action="${startHref}" data-busy="Starting…">
      <button class="primary">Run all ${formatCount(plan.rows)} rows</button>
    </form>
  </section>`;
}

function checks(all: readonly PlanCheck[]): Html {
  return html`<ul class="checks">
    ${all
      .toSorted((a, b) => weight(a) - weight(b))
      .map(
        ({ title, status, detail, hint }) =>
          html`<li>
          <span>${badge(status)}</span>
          <div>
            <div>${title}</div>
            <div class="small soft">${detail}</div>
            ${hint === undefined ? "" : html`<div class="small">${hint}</div>`}
          </div>
        </li>`,
      )}
  </ul>`;
}

// What asks for something comes first.
function weight({ status }: PlanCheck): number {
  return ["failed", "warning"].indexOf(status) + 1 || 3;
}

function invalidRows({ invalid }: PlanReport): Html | "" {
  if (invalid.count === 0) return "";
  return html`<section class="panel" aria-labelledby="invalid-title">
    <h2 id="invalid-title">${plural(invalid.count, "row")} not valid</h2>
    <p class="soft">They fail without calling the agent and cost nothing.</p>
    <ul class="checks">
      ${invalid.first.map(
        ({ row, line, message, hint }) =>
          html`<li>
            <span class="soft">Row ${row}</span>
            <div>
              <div>${message}</div>
              <div class="small soft">Line ${line}${hint === undefined ? "" : `: ${hint}`}</div>
            </div>
          </li>`,
      )}
    </ul>
    ${more(invalid.count, invalid.first.length)}
  </section>`;
}

function duplicateRows({ duplicates }: PlanReport): Html | "" {
  if (duplicates.count === 0) return "";
  return html`<section class="panel" aria-labelledby="duplicates-title">
    <h2 id="duplicates-title">${plural(duplicates.count, "duplicate")}</h2>
    <ul class="checks">
      ${duplicates.first.map(
        ({ row, line, sameAs }) =>
          html`<li>
            <span class="soft">Row ${row}</span>
            <div>asks what row ${sameAs} asks <span class="small soft">(line ${line})</span></div>
          </li>`,
      )}
    </ul>
    ${more(duplicates.count, duplicates.first.length)}
  </section>`;
}

function sampleInput({ row, input }: PlanReport["sample"][number]): Html {
  return html`<details ${row === 0 ? "open" : ""}>
    <summary>Row ${row}</summary>
    <pre class="json" tabindex="0" role="region" aria-label="Input of row ${row}">${JSON.stringify(input, null, 2)}</pre>
  </details>`;
}

function more(all: number, shown: number): Html | "" {
  return all > shown ? html`<p class="small soft">and ${formatCount(all - shown)} more</p>` : "";
}
