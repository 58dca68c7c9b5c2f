import { diffLines } from "diff";
import { html } from "hono/html";
import type { Html } from "./frame.ts";
import type { PublicationStatus } from "../../core/template.ts";
import { badge, option } from "./parts.ts";

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

/** One version of an agent or a template. */
export interface ListedVersion {
  readonly version: string;
  readonly status: PublicationStatus;
}

/** Where a document lives: `agents` or `templates`, and its name. */
export interface Shelved {
  readonly catalog: "agents" | "templates";
  readonly name: string;
  readonly version: string;
  /** Oldest first. */
  readonly versions: readonly ListedVersion[];
}

/** Address of one version's page. */
function catalogHref({ catalog, name }: Pick<Shelved, "catalog" | "name">, version: string): string {
  return `/${catalog}/${encodeURIComponent(`${name}@${version}`)}`;
}

/** All versions, newest first, and the way to compare two of them. */
export function versionsPanel(shelved: Shelved): Html {
  const newestFirst = shelved.versions.toReversed();
  return html`<section class="panel" aria-labelledby="versions-title">
    <h2 id="versions-title">Versions</h2>
    <table>
      <thead>
        <tr>
          <th scope="col">Version</th>
          <th scope="col">Status</th>
        </tr>
      </thead>
      <tbody>
        ${newestFirst.map(
          ({ version, status }) =>
            html`<tr class="${version === shelved.version ? "current" : ""}">
              <th scope="row">
                <a
                  class="mono"
                  href="${catalogHref(shelved, version)}"
                  ${version === shelved.version ? html`aria-current="true"` : ""}
                  >${version}</a
                >
              </th>
              <td>${badge(status)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${newestFirst.length < 2 ? "" : compareForm(shelved, newestFirst)}
  </section>`;
}

/** The form that publishes a new version, filled with the document as it is and the next version's number. */
export function publishPanel({ catalog }: Shelved, document: object, draft: string | undefined): Html {
  const noun = catalog === "agents" ? "agent" : "template";
  return html`<section class="panel" aria-labelledby="publish-title">
    <h2 id="publish-title">Publish a new version</h2>
    <p class="soft">A version never changes once it is published: give the changed ${noun} a version of its own.</p>
    <form class="field" method="post" action="/${catalog}/publish">
      <label for="document">The ${noun} as JSON</label>
      <textarea id="document" name="document" spellcheck="false" autocomplete="off" rows="18">
${draft ?? JSON.stringify(document, null, 2)}</textarea
      >
      <p><button class="primary">Publish</button></p>
    </form>
  </section>`;
}

/** The number after a version: its last part one higher. */
export function nextVersion(version: string): string {
  const [major = "0", minor = "0", patch = "0"] = version.split(".");
  return `${major}.${minor}.${Number(patch) + 1}`;
}

function compareForm({ catalog, name, version, versions }: Shelved, newestFirst: readonly ListedVersion[]): Html {
  const at = versions.findIndex((one) => one.version === version);
  const other = versions[at - 1] ?? versions[at + 1];
  return html`<form class="inline" method="get" action="/${catalog}/${encodeURIComponent(`${name}@${version}`)}/diff">
    <div class="field">
      <label for="against">Compare ${version} with</label>
      <select id="against" name="against">
        ${newestFirst
          .filter((one) => one.version !== version)
          .map((one) => option(one.version, one.version, other?.version))}
      </select>
    </div>
    <button>Compare</button>
  </form>`;
}
