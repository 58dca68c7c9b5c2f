import type { DefaultTheme, UserConfig } from "vitepress";
import { readAsGitHub } from "./markdown.ts";
import { anchorOf, placeOf } from "./places.ts";
import { sidebar } from "./sidebar.ts";

const config: UserConfig<DefaultTheme.Config> = {
  // The whole repository, as pages link to each other across its folders.
  srcDir: "..",
  srcExclude: ["!(docs|examples)/**/*", "examples/*/*/**/*"],
  rewrites: (file) => placeOf(file) ?? file,
  lang: "en-GB",
  title: "Rowcall",
  description: "Run an agent once for every row of a CSV and write the CSV back, enriched.",
  markdown: { anchor: { slugify: anchorOf }, attrs: { disable: true }, config: readAsGitHub },
  themeConfig: { sidebar, outline: [2, 3], search: { provider: "local" } },
  transformHtml(html, file) {
    const [foreign] =
      /<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)="(?:https?:)?\/\/[^"]*"/.exec(html) ?? [];
    if (foreign !== undefined) throw new Error(`${file} would load something from another site: ${foreign}`);
  },
  vite: {
    // No page is HTML, but folders of the repository hold some.
    optimizeDeps: { entries: [] },
    // The usual ones, and data directories: a server's token is in them.
    server: { fs: { deny: [".env", ".env.*", "*.{crt,pem}", "**/.git/**", "**/.rowcall/**"] } },
    // The search index holds all words of all pages.
    build: { chunkSizeWarningLimit: 2000 },
  },
};

export default config;
