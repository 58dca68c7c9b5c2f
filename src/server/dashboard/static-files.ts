import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Hono } from "hono";
import type { ServerEnv } from "../server-setup.ts";

/** The pages' styles, scripts and pictures. */
export interface StaticFiles {
  /** Address of a file by its name; it holds what all files hold, so browsers may keep it for good. */
  readonly href: (name: string) => string;
  mount(app: Hono<ServerEnv>): void;
}

const contentTypes: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

const prefix = "/assets";

/**
 * Reads the dashboard's static files. Scripts import each other by relative names, so the version is in the path and is one for all:
 * a page never mixes scripts of two versions.
 */
export function loadStaticFiles(): StaticFiles {
  const files = readFiles();
  const digest = createHash("sha256");
  for (const [name, content] of files) digest.update(name).update(content);
  const version = digest.digest("hex").slice(0, 12);
  return {
    href: (name) => `${prefix}/${version}/${name}`,
    mount: (app) => {
      app.get(`${prefix}/:version/:name`, (c) => {
        const { version: asked, name } = c.req.param();
        const content = files.get(name);
        if (content === undefined) return c.notFound();
        const etag = `"${version}"`;
        const headers = {
          ETag: etag,
          // An address of another version holds what is here now: it must not be kept.
          "Cache-Control": asked === version ? "public, max-age=31536000, immutable" : "no-cache",
        };
        if (c.req.header("if-none-match") === etag) return c.body(null, 304, headers);
        return c.body(content, 200, { ...headers, "Content-Type": contentTypes[extname(name)] ?? "text/plain" });
      });
    },
  };
}

function readFiles(): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  const own = fileURLToPath(new URL("../pages/assets", import.meta.url));
  const chart = dirname(createRequire(import.meta.url).resolve("uplot"));
  const read = (path: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(path));
  return new Map([
    ...readdirSync(own)
      .toSorted()
      .map((name) => [name, read(join(own, name))] as const),
    ["uplot.js", read(join(chart, "uPlot.esm.js"))],
    ["uplot.css", read(join(chart, "uPlot.min.css"))],
  ]);
}
