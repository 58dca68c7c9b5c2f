import { diffLines } from "diff";
import { html } from "hono/html";
import type { PublicationStatus } from "../../core/template.ts";
import type { Page } from "./frame.ts";
import { catalogHref } from "./links.ts";
import { badge, crumbs, field, head, option, panel, table, type Html } from "./parts.ts";

/** One version of an agent or a template. */
export interface ListedVersion {
  readonly version: string;
  readonly status: PublicationStatus;
}

/** What the page of one version of an agent or a template shows besides what is its own. */
export interface VersionView<T extends ListedVersion> {
  readonly document: T;
  /** All versions of its name, oldest first. */
  readonly versions: readonly ListedVersion[];
  /** What was to be published and was refused. */
  readonly draft?: string;
}

/** What an agent's or a template's page is made of. */
export interface VersionParts {
  readonly catalog: "agents" | "templates";
  readonly name: string;
  readonly description?: string;
  /** At the right of the heading. */
  readonly action?: Html;
  readonly body: Html;
}

/** The page of one version of an agent or a template; a new version can be made of it. */
export function versionPage<T extends ListedVersion>(view: VersionView<T>, parts: VersionParts): Page {
  const { document, versions, draft } = view;
  const { catalog, name, description, action, body } = parts;
  const noun = catalog === "agents" ? "agent" : "template";
  const next = { ...document, version: nextVersion(versions.at(-1)?.version ?? document.version) };
  return {
    title: `${name}@${document.version}`,
    place: "agents",
    main: html`${crumbs(["/agents", titles[catalog]])}
      <div class="head">
        <h1>${name} <span class="soft">${document.version}</span></h1>
        ${badge(document.status)} ${action}
      </div>
      ${description && html`<p>${description}</p>`} ${body}
      ${panel(
        "publish",
        "Publish a new version",
        html`<p class="soft">A version never changes once it is published: give the changed ${noun} a version of its own.</p>
          <form method="post" action="/${catalog}/publish">
            ${field(
              "document",
              `The ${noun} as JSON`,
              html`<textarea id="document" name="document" spellcheck="false" autocomplete="off" rows="18">
${draft ?? JSON.stringify(next, null, 2)}</textarea
              >`,
              html`<p><button class="primary">Publish</button></p>`,
            )}
          </form>`,
      )}`,
  };
}

const titles = { agents: "Agents", templates: "Templates" } as const;

function nextVersion(version: string): string {
  const [major = "0", minor = "0", patch = "0"] = version.split(".");
  return `${major}.${minor}.${Number(patch) + 1}`;
}

/** All versions, newest first, and the way to compare two of them. */
export function versionsPanel(
  catalog: "agents" | "templates",
  name: string,
  { document: { version: shown }, versions }: VersionView<ListedVersion>,
): Html {
  const newestFirst = versions.toReversed();
  const rows = newestFirst.map(
    ({ version, status }) =>
      html`<tr class="${version === shown && "current"}">
        <th scope="row">
          <a
            class="mono"
            href="${catalogHref(catalog, `${name}@${version}`)}"
            ${version === shown && html`aria-current="true"`}
            >${version}</a
          >
        </th>
        <td>${badge(status)}</td>
      </tr>`,
  );
  const at = versions.findIndex(({ version }) => version === shown);
  const other = versions[at - 1] ?? versions[at + 1];
  const others = newestFirst.filter(({ version }) => version !== shown);
  return panel(
    "versions",
    "Versions",
    html`${table([head("Version"), head("Status")], rows)}
    ${
      other &&
      html`<form class="inline" method="get" action="${catalogHref(catalog, `${name}@${shown}`)}/diff">
        ${field(
          "against",
          `Compare ${shown} with`,
          html`<select id="against" name="against">
            ${others.map(({ version }) => option(version, version, other.version))}
          </select>`,
        )}
        <button>Compare</button>
      </form>`
    }`,
  );
}

/** What differs between two versions of an agent or a template. */
export function catalogDiffPage(
  catalog: "agents" | "templates",
  name: string,
  older: ListedVersion,
  newer: ListedVersion,
): Page {
  const title = `${name}: ${older.version} to ${newer.version}`;
  const reference = `${name}@${newer.version}`;
  return {
    title,
    place: "agents",
    main: html`${crumbs(["/agents", titles[catalog]], [catalogHref(catalog, reference), reference])}
      <h1>${title}</h1>
      <section class="panel flush" aria-label="Changes">${documentDiff(older, newer)}</section>`,
  };
}

/** How many unchanged lines are left around a change. */
const around = 3;

/** What changed between two documents, line by line as JSON; long stretches that did not change are left out. */
export function documentDiff(older: object, newer: object): Html {
  const changes = diffLines(`${JSON.stringify(older, null, 2)}\n`, `${JSON.stringify(newer, null, 2)}\n`);
  if (changes.every(({ added, removed }) => !added && !removed)) return html`<p class="soft">The two are the same.</p>`;
  return html`<div class="diff" tabindex="0" role="region" aria-label="Changed lines">
    ${changes.map(({ added, removed, value }, at) => {
      const lines = value.split("\n").slice(0, -1);
      if (added) return lines.map((line) => html`<span class="ok"><ins>+ ${line}</ins></span>`);
      if (removed) return lines.map((line) => html`<span class="bad"><del>- ${line}</del></span>`);
      return unchanged(lines, at === 0, at === changes.length - 1);
    })}
  </div>`;
}

function unchanged(lines: readonly string[], isFirst: boolean, isLast: boolean): Html[] {
  const plain = (line: string): Html => html`<span>  ${line}</span>`;
  const first = isFirst ? 0 : around;
  const last = isLast ? 0 : around;
  const skipped = lines.length - first - last;
  if (skipped <= 0) return lines.map(plain);
  return [
    ...lines.slice(0, first).map(plain),
    html`<span class="soft">… ${skipped} unchanged ${skipped === 1 ? "line" : "lines"}</span>`,
    ...lines.slice(lines.length - last).map(plain),
  ];
}
