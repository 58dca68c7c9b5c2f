import { html } from "hono/html";
import type { Artifact, Attempt, StepRecord } from "../../core/attempt.ts";
import { formatDuration } from "../../core/duration.ts";
import type { RowReport } from "../../core/engine.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import type { Run } from "../../core/run.ts";
import { cellOf } from "./format.ts";
import type { Html, Page } from "./frame.ts";
import { badge, crumbs, jsonBlock, moment, noticeBox, type Notice } from "./parts.ts";
import { schemaForm } from "./schema-form.ts";

/** What the detail of a row shows. */
export interface RowView {
  readonly run: Run;
  readonly report: RowReport;
  /** Address at which this server hands an attempt's file out. */
  readonly artifactHref: (artifact: Artifact, attempt: Attempt) => string;
  /** JSON Schema of the agent's input, for the form. */
  readonly inputSchema?: JsonObject;
  /** What came of trying the row with another input. */
  readonly tried?: TriedView;
  readonly notice?: Notice;
}

/** One try outside of any run. */
export interface TriedView {
  readonly input: JsonObject;
  readonly attempt: Attempt;
  /** What the agent answered, before anything was made of it. */
  readonly reply?: JsonValue;
  readonly artifactHref: (artifact: Artifact, attempt: Attempt) => string;
}

/** Everything about one row. */
export function rowPage(view: RowView): Page {
  const { run, report } = view;
  const { row, line, status, attempts } = report;
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
          ${row === 0 ? "" : html`<a class="button small" rel="prev" href="${base}/${row - 1}">Previous row</a>`}
          ${row + 1 >= run.counts.total ? "" : html`<a class="button small" rel="next" href="${base}/${row + 1}">Next row</a>`}
        </nav>
      </div>
      ${noticeBox(view.notice)}
      ${
        report.sameAs === undefined
          ? ""
          : html`<p class="notice">
            It asks what <a href="${base}/${report.sameAs}">row ${report.sameAs}</a> asks and shares its result.
          </p>`
      }
      ${view.tried === undefined ? "" : triedSection(view.tried)}
      <div class="columns">
        <section class="panel" aria-labelledby="input-title">
          <h2 id="input-title">Input</h2>
          ${cells(report.cells)}
          <details>
            <summary>As the agent gets it</summary>
            ${
              report.input === undefined
                ? html`<p class="soft">The row cannot be mapped, so the agent was not called.</p>`
                : jsonBlock(report.input, "Mapped input")
            }
          </details>
        </section>
        ${outputSection(attempts, status)}
      </div>
      <section class="panel" aria-labelledby="attempts-title">
        <h2 id="attempts-title">Attempts</h2>
        ${
          report.waitingUntil === undefined
            ? ""
            : html`<p>Waiting for attempt ${attempts.length + 1} until ${moment(report.waitingUntil)}.</p>`
        }
        ${
          attempts.length === 0
            ? html`<p class="soft">${status === "in_flight" ? "The first one is under way." : "None yet."}</p>`
            : attempts
                .toReversed()
                .map((attempt) =>
                  attemptSection(attempt, view.artifactHref, attempt === attempts.at(-1), attempt === attempts.at(-1)),
                )
        }
      </section>
      <section class="panel" aria-labelledby="again-title">
        <h2 id="again-title">Try again with edited input</h2>
        <p class="soft">Calls the agent once with what stands here. The run and its table stay as they are.</p>
        <form class="fields" method="post" action="${base}/${row}/try" data-busy="Trying…">
          ${schemaForm(view.inputSchema, view.tried?.input ?? report.input ?? report.cells)}
          <p><button class="primary">Try this input</button></p>
        </form>
      </section>`,
  };
}

/** What came of one try. */
export function triedSection({ attempt, reply, artifactHref }: TriedView): Html {
  return html`<section class="panel" aria-labelledby="tried-title" id="tried">
    <h2 id="tried-title">Your try</h2>
    ${attempt.outcome.status === "succeeded" ? fields(attempt.outcome.output) : ""}
    ${attemptSection(attempt, artifactHref, true, false, "Tried")}
    ${
      reply === undefined
        ? ""
        : html`<details>
          <summary>The agent's reply</summary>
          ${jsonBlock(reply, "The agent's reply")}
        </details>`
    }
  </section>`;
}

function cells(byColumn: Readonly<Record<string, string>>): Html {
  return html`<dl class="pairs">
    ${Object.entries(byColumn).map(
      ([column, text]) =>
        html`<dt dir="auto">${column}</dt>
          <dd class="cell-full" dir="auto">${text === "" ? html`<span class="soft">empty</span>` : text}</dd>`,
    )}
  </dl>`;
}

function outputSection(attempts: readonly Attempt[], status: RowReport["status"]): Html {
  const outcome = attempts.at(-1)?.outcome;
  return html`<section class="panel" aria-labelledby="output-title">
    <h2 id="output-title">Output</h2>
    ${
      outcome?.status === "succeeded" && status === "succeeded"
        ? fields(outcome.output)
        : outcome?.status === "failed"
          ? failure(outcome)
          : html`<p class="soft">There is none yet.</p>`
    }
  </section>`;
}

function fields(output: JsonObject): Html {
  return html`<dl class="pairs">
    ${Object.entries(output).map(
      ([field, value]) =>
        html`<dt>${field}</dt>
          <dd class="cell-full" dir="auto">
            ${value === null || value === undefined || value === "" ? html`<span class="soft">empty</span>` : cellOf(value)}
          </dd>`,
    )}
  </dl>`;
}

function failure({
  code,
  message,
  hint,
}: {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}): Html {
  return html`<div class="notice bad">
    <p><strong class="mono">${code}</strong></p>
    <p class="cell-full">${message}</p>
    ${hint === undefined ? "" : html`<p class="soft">${hint}</p>`}
  </div>`;
}

function attemptSection(
  attempt: Attempt,
  artifactHref: RowView["artifactHref"],
  isOpen: boolean,
  // The failure that decided the row stands in its output already.
  isTold: boolean,
  title = `Attempt ${attempt.number}`,
): Html {
  const { outcome, steps, artifacts, startedAt, endedAt, worker } = attempt;
  return html`<details ${isOpen ? "open" : ""}>
    <summary>${title}: ${outcome.status} after ${formatDuration(endedAt - startedAt)}</summary>
    <p class="small soft">Began ${moment(startedAt)}${worker === undefined ? "" : html`, made by <span class="mono">${worker}</span>`}</p>
    ${outcome.status === "failed" && !isTold ? failure(outcome) : ""} ${recordings(attempt, artifactHref)}
    ${
      steps.length === 0
        ? ""
        : html`<ol class="steps" aria-label="Steps of ${title.toLowerCase()}">
          ${steps.map(stepLine)}
        </ol>`
    }
    ${
      artifacts.length === 0
        ? ""
        : html`<ul class="links small">
          ${artifacts.map(
            (artifact) => html`<li><a href="${artifactHref(artifact, attempt)}">${artifact.name}</a></li>`,
          )}
        </ul>`
    }
  </details>`;
}

function stepLine({ name, status, durationMs, detail }: StepRecord): Html {
  return html`<li>
    <span>${badge(status)}</span>
    <span class="cell-full">${name}</span>
    <span class="num soft">${formatDuration(durationMs)}</span>
    ${detail === undefined ? "" : html`<span class="detail small soft cell-full">${detail}</span>`}
  </li>`;
}

function recordings(attempt: Attempt, artifactHref: RowView["artifactHref"]): Html | "" {
  const shown = attempt.artifacts.filter(({ contentType }) => /^(?:image|video)\//.test(contentType));
  if (shown.length === 0) return "";
  return html`<div class="shots">
    ${shown.map((artifact) => {
      const href = artifactHref(artifact, attempt);
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
