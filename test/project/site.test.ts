import assert from "node:assert/strict";
import { glob } from "node:fs/promises";
import { test } from "node:test";
import { createMarkdownRenderer, type DefaultTheme } from "vitepress";
import config from "../../docs/.vitepress/config.ts";
import { hrefOnSite, placeOf, root } from "../../docs/.vitepress/places.ts";
import { sidebar } from "../../docs/.vitepress/sidebar.ts";

const linksOf = (items: readonly DefaultTheme.SidebarItem[]): readonly string[] =>
  items.flatMap(({ link, items: below = [] }) => [...(link === undefined ? [] : [link]), ...linksOf(below)]);

test("the sidebar has every page of the site once, and no other", async () => {
  const files = await Array.fromAsync(glob(["[A-Z]*.md", "docs/*.md", "examples/*/README.md"], { cwd: root }));
  const places = files.map((file) => placeOf(file.replaceAll("\\", "/")) ?? file);
  assert.deepEqual(
    linksOf(sidebar).toSorted(),
    places.map((place) => `/${place.replace(/(^index)?\.md$/, "")}`).toSorted(),
  );
});

test("links between files lead to pages of the site, and to the repository where there is no page", () => {
  const repository = "https://git.example/rowcall/blob/HEAD";
  const href = (from: string, link: string): string | undefined => hrefOnSite(from, link, repository);
  assert.equal(href("docs/plan.md", "try.md"), "/try.md");
  assert.equal(href("docs/plan.md", "aws-scale.md#what-ends-it"), "/aws-scale.md#what-ends-it");
  assert.equal(href("docs/new-agent-kind.md", "../README.md"), "/index.md");
  assert.equal(href("README.md", "docs/plan.md"), "/plan.md");
  assert.equal(href("README.md", "examples/http-agent"), "/examples/http-agent.md");
  assert.equal(href("examples/http-agent/README.md", "../../docs/agents-http.md"), "/agents-http.md");
  assert.equal(href("examples/http-agent/README.md", "server.ts"), `${repository}/examples/http-agent/server.ts`);
  assert.equal(href("CONTRIBUTING.md", "src/stores"), `${repository}/src/stores`);
  assert.equal(hrefOnSite("CONTRIBUTING.md", "src/stores", undefined), undefined);
  for (const link of ["#on-aws", "https://example.com/a#b", "mailto:someone@example.com"]) {
    assert.equal(href("docs/plan.md", link), link);
  }
});

test("a page shows what its file says: braces, anchors and links", async () => {
  const markdown = await createMarkdownRenderer(root, { ...config.markdown, highlight: (code) => code });
  const html = markdown.render(
    "## `GET /runs/{id}`: v1.2\n\nWrite `{{sku}}` or {{sku}} ([plan](plan.md), [code](../src/core/agent.ts)).",
    { path: `${root}docs/x.md`, relativePath: "x.md", cleanUrls: false },
  );
  assert.match(html, /<h2 id="get-runsid-v12"/);
  assert.match(html, /<code v-pre="">\{\{sku\}\}<\/code> or &#123;&#123;sku}}/);
  assert.match(html, /<a href="\/plan\.html">plan<\/a>/);
});
