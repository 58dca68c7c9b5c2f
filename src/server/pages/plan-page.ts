import { html } from "hono/html";
import { formatDuration } from "../../core/duration.ts";
import { rowAndLine } from "../../core/row.ts";
import type { PlanCheck } from "../../app/check.ts";
import type { PlanReport } from "../../app/plan.ts";
import { formatCost, formatCount, plural } from "./format.ts";
import type { Page } from "./frame.ts";
import { badge, crumbs, field, figure, jsonBlock, panel, type Html } from "./parts.ts";

/** What the plan of a new batch shows. */
export interface PlanView {
  readonly plan: PlanReport;
  readonly fileName: string;
  /** What was chosen in the steps before, as a query. */
  readonly choices: string;
}

const sampleRows = 3;

/** Third step: what a run would do, a sample, the run. */
export function planPage({ plan, fileName, choices }: PlanView): Page {
  const { rows, invalid, duplicates, estimate, sample } = plan;
  return {
    title: "Plan of the new batch",
    place: "new",
    main: html`${crumbs(["/new", "New batch"], [`/new/columns?${choices}`, "Columns"])}
      <div class="head">
        <h1>The plan for ${fileName}</h1>
        ${plan.runnable ? badge("passed", "Ready") : badge("failed", "Not yet")}
      </div>
      ${panel(
        "sum",
        validity(plan),
        html`<dl class="figures">
            ${figure("Rows", rows)} ${figure("Invalid", invalid.count)} ${figure("Duplicates", duplicates.count)}
            ${figure("Takes about", estimate.seconds === undefined ? "–" : formatDuration(estimate.seconds * 1000))}
            ${figure("Costs about", formatCost(estimate.costUsd))} ${figure("Rows at once", estimate.concurrency)}
          </dl>
          <p class="small soft">${estimate.basis.replaceAll(/: give --[a-z-]+/g, "")}</p>`,
      )}
      ${plan.runnable ? startPanel(rows, choices) : blockedPanel(choices)}
      <div class="columns">
        ${panel("checks", "Checks", checks(plan.checks))}
        <div class="columns">
          ${invalid.count > 0 && invalidPanel(invalid)} ${duplicates.count > 0 && duplicatesPanel(duplicates)}
          ${panel(
            "inputs",
            "The first inputs, as the agent gets them",
            sample.length === 0
              ? html`<p class="soft">No row makes a valid input.</p>`
              : html`${sample.map(
                  ({ row, line, input }) =>
                    html`<details ${row === 0 && "open"}>
                      <summary>Row ${rowAndLine(row, line)}</summary>
                      ${jsonBlock(input, `Input of row ${row}`)}
                    </details>`,
                )}`,
          )}
        </div>
      </div>`,
  };
}

function validity({ rows, invalid }: PlanReport): string {
  if (rows === 0) return "There are no rows to run";
  return invalid.count === 0
    ? `All ${plural(rows, "row")} make a valid input`
    : `${formatCount(rows - invalid.count)} of ${plural(rows, "row")} make a valid input`;
}

function blockedPanel(choices: string): Html {
  return panel(
    "start",
    "It cannot run yet",
    html`<p>The checks below that failed say what to change.</p>
      <p><a class="button" href="/new/columns?${choices}">Change the columns</a></p>`,
  );
}

function startPanel(rows: number, choices: string): Html {
  const most = Math.max(1, rows);
  return panel(
    "start",
    "Run it",
    html`<form class="inline" method="post" action="/new/start?${choices}" data-busy="Starting…">
        ${field(
          "limit",
          "Rows of the sample",
          html`<input id="limit" name="limit" type="number" min="1" max="${most}" value="${Math.min(sampleRows, most)}" required />`,
        )}
        <button>Run the first rows as a sample</button>
      </form>
      <form method="post" action="/new/start?${choices}" data-busy="Starting…">
        <button class="primary">Run all ${formatCount(rows)} rows</button>
      </form>`,
  );
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
              ${hint && html`<div class="small">${hint}</div>`}
            </div>
          </li>`,
      )}
  </ul>`;
}

// What asks for something comes first.
function weight({ status }: PlanCheck): number {
  return ["failed", "warning"].indexOf(status) + 1 || 3;
}

function invalidPanel({ count, first }: PlanReport["invalid"]): Html {
  return panel(
    "invalid",
    `${plural(count, "row")} invalid`,
    html`<p class="soft">They fail without calling the agent and cost nothing.</p>
      ${rowList(
        count,
        first.map(({ row, line, message, hint }) => [
          rowAndLine(row, line),
          html`<div>${message}</div>
            ${hint && html`<div class="small soft">${hint}</div>`}`,
        ]),
      )}`,
  );
}

function duplicatesPanel({ count, first }: PlanReport["duplicates"]): Html {
  return panel(
    "duplicates",
    plural(count, "duplicate"),
    rowList(
      count,
      first.map(({ row, line, sameAs }) => [rowAndLine(row, line), html`asks the same as row ${sameAs}`]),
    ),
  );
}

/** The first rows of their kind, each with what there is to say of it. */
function rowList(count: number, first: readonly (readonly [row: string, says: Html])[]): Html {
  const more = count - first.length;
  return html`<ul class="checks">
      ${first.map(
        ([row, says]) =>
          html`<li>
            <span class="soft">Row ${row}</span>
            <div>${says}</div>
          </li>`,
      )}
    </ul>
    ${more > 0 && html`<p class="small soft">and ${formatCount(more)} more</p>`}`;
}
