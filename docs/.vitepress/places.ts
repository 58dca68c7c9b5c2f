import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the repository. */
export const root: string = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Returns where a file is on the site: `docs/plan.md` is `plan.md`, an example with its README `examples/NAME.md`, and
 * the README the home page.
 *
 * @param file - path from the root of the repository, with slashes; of an example also its folder, where GitHub shows the README
 * @returns undefined for a file that is not a page
 */
export function placeOf(file: string): string | undefined {
  if (file === "README.md") return "index.md";
  if (/^[A-Z_]+\.md$/.test(file)) return file.toLowerCase();
  const [, page, example] = /^(?:docs\/([^/]+)\.md|examples\/([^/]+)(?:\/README\.md|\/)?)$/.exec(file) ?? [];
  return page === undefined ? example && `examples/${example}.md` : `${page}.md`;
}

/**
 * Returns what a link of a page leads to on the site.
 *
 * @param from - the page's file, a path from the root of the repository
 * @param href - the link as the file has it, relative to the file
 * @param repository - address that paths of the repository are added to, when it is known
 * @returns undefined for a file that is not a page, when the repository's address is not known
 */
export function hrefOnSite(from: string, href: string, repository: string | undefined): string | undefined {
  const [, path = "", anchor = ""] = /^([^#:]+)(#.*)?$/.exec(href) ?? [];
  if (path === "") return href;
  const file = posix.join(posix.dirname(from), decodeURIComponent(path));
  const place = placeOf(file);
  if (place !== undefined) return `/${place}${anchor}`;
  // What is not there stays as it is, and the build says so.
  if (!existsSync(join(root, file))) return href;
  return repository === undefined ? undefined : `${repository}/${file}${anchor}`;
}

/** Returns a heading's anchor as GitHub makes it: lower case, punctuation dropped, spaces as hyphens. */
export function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");
}
