import { html } from "hono/html";
import type { Attempt, FailedOutcome, StepRecord } from "../../core/attempt.ts";
import { formatDuration } from "../../core/duration.ts";
import type { RowReport } from "../../core/engine.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Run } from "../../core/run.ts";
import type { Tried } from "../tries.ts";
import { cellOf } from "./format.ts";
import type { Page } from "./frame.ts";
import { recordingsOfRun, recordingsOfTry, type RecordingHref } from "./links.ts";
import { badge, crumbs, jsonBlock, moment, pairs, panel, type Html } from "./parts.ts";
import { schemaForm } from "./schema-form.ts";

/** What the detail of a row shows. */
export interface RowView {
  readonly run: Run;
  readonly report: RowReport;
  /** JSON Schema of the agent's input, for the form. */
  readonly inputSchema?: JsonObject;
  /** What came of trying the row with another input. */
  readonly tried?: Tried;
}

/** Everything about one row. */
export function rowPage({ run, report, inputSchema, tried }: RowView): Page {
  const { row, line, status, sameAs } = report;
  const name = run.name ?? run.id;
  const base = `/runs/${run.id}/rows`;
  return {
    title: `Row ${row} of ${name}`,
    place: "runs",
    scripts: ["rows.js"],
    main: html`${crumbs(["/", "Runs"], [`/runs/${run.id}`, name], [base, "Rows"])}
      <div class="head">
        <h1>Row ${row}</h1>
        ${badge(status)} <span class="soft">line ${line} of the input</span>
        <nav class="row push" aria-label="Neighbouring rows">
          ${row > 0 && html`<a class="button small" rel="prev" href="${base}/${row - 1}">Previous row</a>`}
          ${row + 1 < run.counts.total && html`<a class="button small" rel="next" href="${base}/${row + 1}">Next row</a>`}
        </nav>
      </div>
      ${
        sameAs !== undefined &&
        html`<p class="notice info">It asks the same as <a href="${base}/${sameAs}">row ${sameAs}</a> and shares its result.</p>`
      }
      ${tried && triedPanel(tried)}
      <div class="columns">
        ${panel(
          "input",
          "Input",
          html`${pairs(Object.entries(report.cells).map(([column, text]) => [column, orEmpty(text), "cell-full"]))}
            <details>
              <summary>As the agent gets it</summary>
              ${
                report.input === undefined
                  ? html`<p class="soft">The row cannot be mapped, so the agent was not called.</p>`
                  : jsonBlock(report.input, "Mapped input")
              }
            </details>`,
        )}
        ${panel("output", "Output", output(report))}
      </div>
      ${panel("attempts", "Attempts", attemptList(report, recordingsOfRun(run.id)))}
      ${panel(
        "again",
        "Try again with edited input",
        html`<p class="soft">Calls the agent once with this input. The run and its table stay as they are.</p>
          <form class="fields" method="post" action="${base}/${row}/try" data-busy="Trying…">
            ${schemaForm(inputSchema, tried?.input ?? report.input ?? report.cells)}
            <p><button class="primary">Try this input</button></p>
          </form>`,
      )}`,
  };
}

/** What came of one try. */
export function triedPanel({ id, attempt, reply }: Tried): Html {
  return html`<div id="tried">
    ${panel(
      "tried",
      "Your try",
      html`${attempt.outcome.status === "succeeded" && fields(attempt.outcome.output)}
      ${attemptDetails(attempt, recordingsOfTry(id), { title: "Tried", isOpen: true })}
      ${
        reply !== undefined &&
        html`<details>
          <summary>The agent's reply</summary>
          ${jsonBlock(reply, "The agent's reply")}
        </details>`
      }`,
    )}
  </div>`;
}

function orEmpty(text: string): Html | string {
  return text === "" ? html`<span class="soft">empty</span>` : text;
}

function fields(output: JsonObject): Html {
  return pairs(Object.entries(output).map(([name, value]) => [name, orEmpty(cellOf(value)), "cell-full"]));
}

function output({ attempts, status }: RowReport): Html {
  const outcome = attempts.at(-1)?.outcome;
  if (outcome?.status === "failed") return failure(outcome);
  return outcome !== undefined && status === "succeeded"
    ? fields(outcome.output)
    : html`<p class="soft">There is none yet.</p>`;
}

function failure({ code, message, hint }: FailedOutcome): Html {
  return html`<div class="notice bad">
    <p><strong class="mono">${code}</strong></p>
    <p class="cell-full">${message}</p>
    ${hint && html`<p class="soft">${hint}</p>`}
  </div>`;
}

function attemptList({ attempts, status, waitingUntil }: RowReport, hrefOf: RecordingHref): Html {
  const none = status === "in_flight" ? "The first one is in flight." : "None yet.";
  const last = attempts.at(-1);
  return html`${waitingUntil !== undefined && html`<p>Waiting for attempt ${attempts.length + 1} until ${moment(waitingUntil)}.</p>`}
  ${last === undefined && html`<p class="soft">${none}</p>`}
  ${attempts.toReversed().map((attempt) =>
    attemptDetails(attempt, hrefOf, {
      title: `Attempt ${attempt.number}`,
      isOpen: attempt === last,
      // The output panel has it already.
      hidesFailure: attempt === last,
    }),
  )}`;
}

function attemptDetails(
  attempt: Attempt,
  hrefOf: RecordingHref,
  { title, isOpen, hidesFailure = false }: { title: string; isOpen: boolean; hidesFailure?: boolean },
): Html {
  const { outcome, steps, artifacts, startedAt, endedAt, worker } = attempt;
  return html`<details ${isOpen && "open"}>
    <summary>${title}: ${outcome.status} after ${formatDuration(endedAt - startedAt)}</summary>
    <p class="small soft">Began ${moment(startedAt)}${worker && html`, made by <span class="mono">${worker}</span>`}</p>
    ${outcome.status === "failed" && !hidesFailure && failure(outcome)} ${pictures(attempt, hrefOf)}
    ${steps.length > 0 && html`<ol class="steps" aria-label="Steps of ${title.toLowerCase()}">${steps.map(stepLine)}</ol>`}
    ${
      artifacts.length > 0 &&
      html`<ul class="links small">
        ${artifacts.map((artifact) => html`<li><a href="${hrefOf(artifact, attempt)}">${artifact.name}</a></li>`)}
      </ul>`
    }
  </details>`;
}

function stepLine({ name, status, durationMs, detail }: StepRecord): Html {
  return html`<li>
    <span>${badge(status)}</span>
    <span class="cell-full">${name}</span>
    <span class="num soft">${formatDuration(durationMs)}</span>
    ${detail && html`<span class="detail small soft cell-full">${detail}</span>`}
  </li>`;
}

function pictures(attempt: Attempt, hrefOf: RecordingHref): Html | undefined {
  const shown = attempt.artifacts.filter(({ contentType }) => /^(?:image|video)\//.test(contentType));
  if (shown.length === 0) return undefined;
  return html`<div class="shots">
    ${shown.map((artifact) => {
      const href = hrefOf(artifact, attempt);
      return html`<figure>
        ${
          artifact.contentType.startsWith("video/")
            ? html`<video controls preload="metadata" src="${href}" aria-label="Recording of attempt ${attempt.number}"></video>`
            : html`<a href="${href}"><img src="${href}" alt="What the page showed: ${artifact.name}" loading="lazy" /></a>`
        }
        <figcaption>${artifact.name}</figcaption>
      </figure>`;
    })}
  </div>`;
}
