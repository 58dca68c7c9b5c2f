import assert from "node:assert/strict";
import { glob, readFile, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { anchorOf } from "../../docs/.vitepress/places.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Page {
  /** Path from the root. */
  readonly path: string;
  readonly text: string;
}

const pages: readonly Page[] = await Array.fromAsync(
  glob(["*.md", "docs/**/*.md", "examples/**/*.md", "bench/**/*.md"], { cwd: root }),
  async (path) => ({ path, text: await readFile(join(root, path), "utf8") }),
);

function withoutCode(text: string): string {
  return text.replace(/^```.*?^```/gms, "").replace(/`[^`\n]*`/g, "");
}

function anchorsIn(text: string): readonly string[] {
  const headings = text.replace(/^```.*?^```/gms, "").matchAll(/^#{1,6} (.+)$/gm);
  return [...headings].map(([, heading = ""]) =>
    anchorOf(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll("`", "")),
  );
}

/** Links and pictures that point into the repository, as `[path, anchor]`. */
function linksIn(text: string): readonly (readonly [path: string, anchor: string])[] {
  const prose = withoutCode(text);
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g), ...prose.matchAll(/(?:src|href)="([^"]+)"/g)].map(
    ([, target = ""]) => target,
  );
  return targets
    .filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target))
    .map((target) => {
      const [path = "", anchor = ""] = target.split("#");
      return [decodeURIComponent(path), anchor];
    });
}

for (const { path, text } of pages) {
  test(`every link in ${path} leads to something that is there`, async () => {
    for (const [target, anchor] of linksIn(text)) {
      const file = target === "" ? join(root, path) : join(root, dirname(path), target);
      const found = await stat(file).catch(() => undefined);
      assert.ok(found, `${path} links to ${target}, and there is no ${relative(root, file)}`);
      if (anchor === "" || !file.endsWith(".md")) continue;
      const anchors = anchorsIn(await readFile(file, "utf8"));
      assert.ok(anchors.includes(anchor), `${path} links to ${target}#${anchor}, and there is no such heading`);
    }
  });

  test(`code in ${path} that is from a file equals the file`, async () => {
    const copied = text.matchAll(/<!-- from (\S+) -->\n+```\w*\n(.*?)^```/gms);
    for (const [, source = "", code = ""] of copied) {
      const file = await readFile(join(root, source), "utf8");
      assert.ok(code.trim() !== "", `${path} shows nothing of ${source}`);
      assert.ok(file.includes(code), `${path} shows code that is not in ${source}`);
    }
  });
}

test("every example in the docs names a file that is there, and every npm script that they mention exists", async () => {
  const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  for (const { path, text } of pages) {
    for (const [, script = ""] of text.matchAll(/npm run ([a-z:]+)/g)) {
      assert.ok(Object.hasOwn(scripts, script), `${path} mentions npm run ${script}`);
    }
    for (const [, file = ""] of text.matchAll(/\bnode ((?:bench|examples|scripts)\/[\w./-]+)/g)) {
      assert.ok(await stat(join(root, file)).catch(() => false), `${path} mentions ${file}`);
    }
  }
});
