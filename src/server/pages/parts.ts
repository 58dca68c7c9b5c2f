import { html } from "hono/html";
import type { JsonValue } from "../../core/json.ts";
import type { RowCounts } from "../../core/run.ts";
import { formatCount, formatTime } from "./format.ts";

/** A piece of a page; whatever was put into it is escaped. */
export type Html = ReturnType<typeof html>;

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

/** The word of a status. */
export function statusWord(status: BadgeStatus): string {
  return statusWords[status][0];
}

/** A part of a page under a heading of its own. */
export function panel(id: string, title: Html | string, content: Html, look = ""): Html {
  return html`<section class="panel ${look}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${content}
  </section>`;
}

/** The head of a column. */
export function head(label: Html | string, look = ""): Html {
  return html`<th scope="col" class="${look}">${label}</th>`;
}

/** Text for screen readers alone. */
export function spoken(text: string): Html {
  return html`<span class="visually-hidden">${text}</span>`;
}

/** A table from the heads of its columns and its rows. */
export function table(heads: readonly Html[], rows: readonly Html[]): Html {
  return html`<table>
    <thead>
      <tr>
        ${heads}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

/** A region that scrolls sideways by itself, also by keyboard. */
export function scroller(label: string, content: Html): Html {
  return html`<div class="scroller" tabindex="0" role="region" aria-label="${label}">${content}</div>`;
}

/** Names with their values; those without a value are left out. */
export function pairs(
  entries: readonly (readonly [name: Html | string, value: Html | string | undefined, look?: string])[],
): Html {
  return html`<dl class="pairs">
    ${entries
      .filter(([, value]) => value !== undefined)
      .map(
        ([name, value, look = ""]) =>
          html`<dt dir="auto">${name}</dt>
            <dd class="${look}" dir="auto">${value}</dd>`,
      )}
  </dl>`;
}

/** A control of a form under its label. */
export function field(id: string, label: Html | string, control: Html, about?: Html | false): Html {
  return html`<div class="field">
    <label for="${id}">${label}</label>
    ${control} ${about}
  </div>`;
}

/** A choice of a select. */
export function option(value: string, label: string, chosen: string | undefined): Html {
  return html`<option value="${value}" ${value === chosen && "selected"}>${label}</option>`;
}

/** A bar of how many rows are where; its words are beside it. */
export function progressBar({ total, succeeded, failed, inFlight }: RowCounts): Html {
  const width = (many: number): string => String(total === 0 ? 0 : (100 * many) / total);
  return html`<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" focusable="false">
    <rect class="ok" data-bar="succeeded" width="${width(succeeded)}" height="1"></rect>
    <rect class="bad" data-bar="failed" x="${width(succeeded)}" width="${width(failed)}" height="1"></rect>
    <rect
      class="info"
      data-bar="inFlight"
      x="${width(succeeded + failed)}"
      width="${width(inFlight)}"
      height="1"
    ></rect>
  </svg>`;
}

/** A moment; a script turns it into the reader's own time zone. */
export function moment(milliseconds: number): Html {
  return html`<time datetime="${new Date(milliseconds).toISOString()}">${formatTime(milliseconds)}</time>`;
}

/** The way back, as links. */
export function crumbs(...links: readonly (readonly [href: string, label: string])[]): Html {
  return html`<nav class="crumbs" aria-label="You are in">
    ${links.map(([href, label], at) => html`${at > 0 && html`<span aria-hidden="true">›</span>`}<a href="${href}">${label}</a>`)}
  </nav>`;
}

/** What to say where there is nothing. */
export function emptyState(title: string, text: Html | string, action?: Html): Html {
  return html`<div class="empty">
    <p class="empty-title">${title}</p>
    <p>${text}</p>
    ${action}
  </div>`;
}

/** JSON to read. */
export function jsonBlock(value: JsonValue | object, label: string): Html {
  return html`<pre class="json" tabindex="0" role="region" aria-label="${label}">${JSON.stringify(value, null, 2)}</pre>`;
}

/** A number with what it counts. */
export function figure(label: string, value: number | string, live?: string, tone = ""): Html {
  const shown = typeof value === "number" ? formatCount(value) : value;
  return html`<div class="figure ${tone}">
    <dt>${label}</dt>
    <dd ${live && html`data-live="${live}"`}>${shown}</dd>
  </div>`;
}

/** What was just done, or why it was not. */
export interface Notice {
  readonly tone: "ok" | "bad";
  readonly text: string;
  readonly hint?: string;
}

/** A notice as it is shown. */
export function noticeBox({ tone, text, hint }: Notice): Html {
  return html`<div class="notice ${tone}" role="${tone === "bad" ? "alert" : "status"}">
    <p>${text}</p>
    ${hint && html`<p class="soft">${hint}</p>`}
  </div>`;
}
