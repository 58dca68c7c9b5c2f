import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { RowcallError } from "../../../core/errors.ts";
import { findChromium } from "../chromium/chromium.ts";
import { openBrowserPool, type BrowserPool } from "../chromium/pool.ts";
import { runTemplate } from "./run-template.ts";
import { openTabs } from "../page/tabs.ts";
import { parseTemplate } from "../template/template.ts";

const docs = await readFile(new URL("../../../../docs/agents-browser.md", import.meta.url), "utf8");
const section = docs.slice(docs.indexOf("## When something goes wrong"));
/** What the page on browser agents says: what happens, and the codes that a row fails with. */
const said = [...section.matchAll(/^\| (.+?) \| `([A-Z_]+)`/gm)].map(([, what = "", code = ""]) => ({ what, code }));

type Steps = readonly Readonly<Record<string, unknown>>[];

const go = { css: "#go" };
const missing = { css: "#none" };
/** Pages and steps for what happens to a step, by the words of the page. */
const scenarios: Readonly<Record<string, readonly (readonly [html: string, ...steps: Steps])[]>> = {
  "the element of a step is missing, or there several times": [
    ["", { action: "click", locator: missing }],
    ["", { action: "fill", locator: missing, value: "x" }],
    ["", { action: "check", locator: missing }],
    ["", { action: "select", locator: missing, option: "x" }],
    ["", { action: "press", locator: missing, key: "Enter" }],
    ["", { action: "choose", locator: missing, wanted: { building_number: "1", street: "Mill" } }],
    ["<button>A</button><button>B</button>", { action: "click", locator: { css: "button" } }],
  ],
  "the element of a step is disabled or covered for as long as the step may take": [
    ["<button id=go disabled>Go</button>", { action: "click", locator: go }],
    ["<button id=go>Go</button><div style='position:fixed;inset:0'>", { action: "click", locator: go }],
  ],
  "a `wait_for` does not come true in time": [["", { action: "wait_for", condition: { visible: missing } }]],
  "the page that an action leads to does not come in time": [
    ["<a id=go href=/never>Go</a>", { action: "click", locator: go }],
  ],
  "an address cannot be opened, or answers with an error": [
    ["", { action: "goto", url: "/broken" }],
    ["", { action: "goto", url: "/error" }],
    ["<a id=go href=/broken>Go</a>", { action: "click", locator: go }],
  ],
  "an `expect` does not hold, a `repeat` does not come to its end": [
    ["", { action: "expect", condition: { visible: missing } }],
    ["", { action: "repeat", times: 1, steps: [], until: { visible: missing } }],
  ],
  "a required value is not on the page": [["", { action: "extract", fields: { a: { locator: missing } } }]],
};
/** What does not happen to a step is held by the tests of agents and engines. */
const elsewhere = ["TIMEOUT", "BROWSER_CRASHED", "NEEDS_HUMAN"];

describe("the codes that the page on browser agents names", () => {
  let server: Server;
  let origin: string;
  let pool: BrowserPool;
  let html = "";
  before(async () => {
    server = createServer(({ url }, response) => {
      if (url === "/never") return;
      if (url === "/broken") response.destroy();
      if (url === "/error") response.statusCode = 503;
      response.setHeader("content-type", "text/html").end(html);
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", () => resolve()));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    pool = openBrowserPool({ binary: await findChromium({}), concurrency: 1 });
  });
  after(async () => {
    await pool.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  async function codeOf(page: string, steps: Steps): Promise<string> {
    html = page;
    const document = {
      template_id: "t",
      version: "1.0.0",
      status: "active" as const,
      starting_page: `${origin}/`,
      steps,
    };
    const template = parseTemplate({ ...document, session: { timeout_seconds: 1 } }, "template t");
    const { signal } = new AbortController();
    return pool.withContext({}, signal, async (context) => {
      const tabs = await openTabs(await context.newPage());
      const screenshot = async (): Promise<string> => "";
      const run = runTemplate({ tabs, template, variables: {}, signal, onStep: () => undefined, screenshot });
      return run.then(
        () => "no error",
        (thrown: unknown) => (thrown instanceof RowcallError ? thrown.code : String(thrown)),
      );
    });
  }

  it("are all tried", () => {
    const tried = said.filter(({ code }) => !elsewhere.includes(code)).map(({ what }) => what);
    assert.deepEqual(tried, Object.keys(scenarios));
  });

  for (const { what, code } of said.filter(({ what }) => what in scenarios)) {
    it(`${what}: ${code}`, async () => {
      for (const [page, ...steps] of scenarios[what] ?? [])
        assert.equal(await codeOf(page, steps), code, `${page} ${JSON.stringify(steps)}`);
    });
  }
});
