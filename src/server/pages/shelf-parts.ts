import { html } from "hono/html";
import type { PublicationStatus } from "../../core/template.ts";
import type { Html } from "./frame.ts";
import { badge, option } from "./parts.ts";

/** One version of an agent or a template. */
export interface ListedVersion {
  readonly version: string;
  readonly status: PublicationStatus;
}

/** Where a document lives: `agents` or `templates`, and its name. */
export interface Shelved {
  readonly shelf: "agents" | "templates";
  readonly name: string;
  readonly version: string;
  /** Oldest first. */
  readonly versions: readonly ListedVersion[];
}

/** Address of one version's page. */
function shelfHref({ shelf, name }: Pick<Shelved, "shelf" | "name">, version: string): string {
  return `/${shelf}/${encodeURIComponent(`${name}@${version}`)}`;
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
                  href="${shelfHref(shelved, version)}"
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
export function publishPanel({ shelf }: Shelved, document: object, draft: string | undefined): Html {
  const noun = shelf === "agents" ? "agent" : "template";
  return html`<section class="panel" aria-labelledby="publish-title">
    <h2 id="publish-title">Publish a new version</h2>
    <p class="soft">A version never changes once it is published: give the changed ${noun} a version of its own.</p>
    <form class="field" method="post" action="/${shelf}/publish">
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

function compareForm({ shelf, name, version, versions }: Shelved, newestFirst: readonly ListedVersion[]): Html {
  const at = versions.findIndex((one) => one.version === version);
  const other = versions[at - 1] ?? versions[at + 1];
  return html`<form class="inline" method="get" action="/${shelf}/${encodeURIComponent(`${name}@${version}`)}/diff">
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
