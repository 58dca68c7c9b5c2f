import { relative, sep } from "node:path";
import process from "node:process";
import type { MarkdownRenderer } from "vitepress";
import { hrefOnSite, root } from "./places.ts";

const { GITHUB_SERVER_URL, GITHUB_REPOSITORY } = process.env;

/** Where files can be read that are not pages; a build outside of a workflow knows no address. */
const repository = GITHUB_REPOSITORY === undefined ? undefined : `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/blob/HEAD`;

/**
 * Makes the site show what GitHub shows of the same file: links lead where they lead there (to nowhere, as text, when the address
 * of the repository is not known), and double braces are text, not Vue.
 */
export function readAsGitHub(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push("read-as-github", ({ tokens, env }) => {
    // `path` is that of the page on the site, and the only one that the search index knows.
    const { path, realPath = path } = env as { readonly path: string; readonly realPath?: string };
    const file = relative(root, realPath).replaceAll(sep, "/");
    for (const { children } of tokens) {
      let href: string | undefined;
      for (const token of children ?? []) {
        if (token.type === "link_open") href = hrefOnSite(file, token.attrGet("href") ?? "", repository);
        if (token.type === "link_open" && href !== undefined) token.attrSet("href", href);
        if (token.type.startsWith("link_") && href === undefined) {
          token.attrs = null;
          token.hidden = true;
        }
        if (token.type === "code_inline") token.attrSet("v-pre", "");
        if (token.type === "text") token.content = token.content.replaceAll("{{", "&#123;&#123;");
      }
    }
  });
}
