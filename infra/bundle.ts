import { cpSync, existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync, type Metafile } from "esbuild";

/** The repository. */
export const root: string = fileURLToPath(new URL("../", import.meta.url));

/** Packages that do not survive bundling; only the function that runs a browser takes them along. */
export const browserPackages: readonly string[] = ["@sparticuz/chromium", "playwright-core"];

// Packages in CommonJS expect what a module does not have.
const commonJs = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/**
 * Bundles a function with all that it imports, laid out as the published package is: code in `dist/`, the registry beside it.
 * What is imported lazily stays in files of its own, so that a cold start reads only what it runs. Nothing is minified: functions
 * that run in pages travel as their source.
 *
 * @param entry - path of a module that exports `handler`; the function's handler is `dist/index.handler`
 * @param folder - where the bundle goes
 * @param packages - names of packages to take along as they are, with their dependencies
 */
export function bundle(entry: string, folder: string, packages: readonly string[]): Metafile {
  const { metafile } = buildSync({
    absWorkingDir: root,
    entryPoints: { index: entry },
    outdir: join(folder, "dist"),
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    platform: "node",
    target: "node24",
    format: "esm",
    mainFields: ["module", "main"],
    external: [...browserPackages],
    banner: { js: commonJs },
    sourcemap: true,
    sourcesContent: false,
    legalComments: "none",
    logLevel: "warning",
    metafile: true,
  });
  cpSync(join(root, "registry"), join(folder, "registry"), { recursive: true });
  copyPackages(packages, root, folder, new Set());
  return metafile;
}

function copyPackages(names: readonly string[], from: string, folder: string, copied: Set<string>): void {
  for (const name of names) {
    const place = packageFolder(name, from);
    if (copied.has(place)) continue;
    copied.add(place);
    cpSync(place, join(folder, relative(root, place)), {
      recursive: true,
      filter: (path) => path === place || relative(place, path) !== "node_modules",
    });
    const { dependencies = {} } = JSON.parse(readFileSync(join(place, "package.json"), "utf8")) as {
      readonly dependencies?: Readonly<Record<string, string>>;
    };
    copyPackages(Object.keys(dependencies), place, folder, copied);
  }
}

/** Where Node finds a package when a module in a folder imports it. */
function packageFolder(name: string, from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const place = join(folder, "node_modules", name);
    if (existsSync(place)) return place;
    if (folder === dirname(folder)) throw new Error(`The package ${name} is not installed for ${from}`);
  }
}
