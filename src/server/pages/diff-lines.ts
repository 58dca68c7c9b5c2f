import { diffLines } from "diff";
import { html } from "hono/html";
import type { Html } from "./frame.ts";

/** How many unchanged lines are left around a change. */
const around = 3;

/** What changed between two documents, line by line as JSON; long stretches that did not change are left out. */
export function documentDiff(older: object, newer: object): Html {
  const changes = diffLines(`${JSON.stringify(older, null, 2)}\n`, `${JSON.stringify(newer, null, 2)}\n`);
  if (changes.every(({ added, removed }) => !added && !removed)) return html`<p class="soft">The two are the same.</p>`;
  return html`<div class="diff" tabindex="0" role="region" aria-label="Changed lines">
    ${changes.map(({ added, removed, value }, at) => {
      const lines = value.split("\n").slice(0, -1);
      if (added) return lines.map((line) => html`<span class="added"><ins>+ ${line}</ins></span>`);
      if (removed) return lines.map((line) => html`<span class="removed"><del>- ${line}</del></span>`);
      return unchanged(lines, at === 0, at === changes.length - 1);
    })}
  </div>`;
}

function unchanged(lines: readonly string[], isFirst: boolean, isLast: boolean): Html[] {
  const head = isFirst ? 0 : around;
  const tail = isLast ? 0 : around;
  if (lines.length <= head + tail) return lines.map(plain);
  const skipped = lines.length - head - tail;
  return [
    ...lines.slice(0, head).map(plain),
    html`<span class="soft">… ${skipped} unchanged ${skipped === 1 ? "line" : "lines"}</span>`,
    ...lines.slice(lines.length - tail).map(plain),
  ];
}

function plain(line: string): Html {
  return html`<span>  ${line}</span>`;
}
