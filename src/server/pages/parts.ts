import { html } from "hono/html";
import type { JsonValue } from "../../core/json.ts";
import type { RowCounts, Run } from "../../core/run.ts";
import { formatCount, formatTime } from "./format.ts";
import type { Html } from "./frame.ts";

/** How a status is said and which colour goes with it. */
const statusWords = {
  running: ["Running", "info"],
  paused: ["Paused", "warn"],
  succeeded: ["Succeeded", "ok"],
  failed: ["Failed", "bad"],
  stopped: ["Stopped", "warn"],
  interrupted: ["Interrupted", "warn"],
  pending: ["Pending", "quiet"],
  in_flight: ["In flight", "info"],
  done: ["Done", "ok"],
  skipped: ["Skipped", "quiet"],
  passed: ["Passed", "ok"],
  warning: ["Warning", "warn"],
  active: ["Active", "ok"],
  draft: ["Draft", "info"],
  deprecated: ["Deprecated", "warn"],
  archived: ["Archived", "quiet"],
} as const;

/** Everything that {@link badge} can say. */
export type BadgeStatus = keyof typeof statusWords;

/** A status as a word with a colour. */
export function badge(status: BadgeStatus, words?: string): Html {
  const [label, tone] = statusWords[status];
  return html`<span class="badge ${tone}">${words ?? label}</span>`;
}

/** Where a run stands, as people say it: one that starts no row for now is paused. */
export function runStatus({ status, paused }: Pick<Run, "status" | "paused">): BadgeStatus {
  return status === "running" && paused === true ? "paused" : status;
}

/** The word of a status. */
export function statusWord(status: BadgeStatus): string {
  return statusWords[status][0];
}

/** A choice of a select. */
export function option(value: string, label: string, chosen: string | undefined): Html {
  return html`<option value="${value}" ${value === chosen ? "selected" : ""}>${label}</option>`;
}

/** A bar of how many rows stand where; its words are beside it. */
export function progressBar({ total, succeeded, failed, inFlight }: RowCounts): Html {
  const width = (many: number): string => String(total === 0 ? 0 : (100 * many) / total);
  return html`<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" focusable="false">
    <rect class="bar-ok" data-bar="succeeded" width="${width(succeeded)}" height="1"></rect>
    <rect class="bar-bad" data-bar="failed" x="${width(succeeded)}" width="${width(failed)}" height="1"></rect>
    <rect
      class="bar-info"
      data-bar="inFlight"
      x="${width(succeeded + failed)}"
      width="${width(inFlight)}"
      height="1"
    ></rect>
  </svg>`;
}

/** A moment; a script turns it into the reader's own time zone. */
export function moment(milliseconds: number | undefined): Html {
  if (milliseconds === undefined) return html`–`;
  return html`<time datetime="${new Date(milliseconds).toISOString()}">${formatTime(milliseconds)}</time>`;
}

/** The way back, as links. */
export function crumbs(...links: readonly (readonly [href: string, label: string])[]): Html {
  return html`<nav class="crumbs" aria-label="You are in">
    ${links.map(([href, label], at) => html`${at === 0 ? "" : html`<span aria-hidden="true">›</span>`}<a href="${href}">${label}</a>`)}
  </nav>`;
}

/** What to say where there is nothing. */
export function emptyState(title: string, text: Html | string, action?: Html): Html {
  return html`<div class="empty">
    <p class="empty-title">${title}</p>
    <p>${text}</p>
    ${action ?? ""}
  </div>`;
}

/** JSON to read. */
export function jsonBlock(value: JsonValue | undefined, label: string): Html {
  return html`<pre class="json" tabindex="0" role="region" aria-label="${label}">${JSON.stringify(value, null, 2)}</pre>`;
}

/** A region that scrolls sideways by itself, also by keyboard. */
export function scroller(label: string, content: Html): Html {
  return html`<div class="scroller" tabindex="0" role="region" aria-label="${label}">${content}</div>`;
}

/** A number with what it counts. */
export function figure(label: string, value: number | string, live?: string, tone = ""): Html {
  const shown = typeof value === "number" ? formatCount(value) : value;
  return html`<div class="figure ${tone}">
    <dt>${label}</dt>
    <dd ${live === undefined ? "" : html`data-live="${live}"`}>${shown}</dd>
  </div>`;
}

/** What was just done, or why it was not. */
export interface Notice {
  readonly tone: "ok" | "bad";
  readonly text: string;
  readonly hint?: string;
}

/** A notice at the head of a page. */
export function noticeBox(notice: Notice | undefined): Html | "" {
  if (notice === undefined) return "";
  return html`<div class="notice ${notice.tone}" role="${notice.tone === "bad" ? "alert" : "status"}">
    <p>${notice.text}</p>
    ${notice.hint === undefined ? "" : html`<p class="soft">${notice.hint}</p>`}
  </div>`;
}
