import assert from "node:assert/strict";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import type { StepRecord } from "../../../core/attempt.ts";
import { RowcallError } from "../../../core/errors.ts";
import type { JsonObject } from "../../../core/json.ts";
import { findChromium } from "../chromium/chromium.ts";
import { openBrowserPool, type BrowserPool } from "../chromium/pool.ts";
import { runTemplate } from "../steps/run-template.ts";
import { openTabs } from "./tabs.ts";
import { parseTemplate } from "../template/template.ts";

type Steps = readonly Readonly<Record<string, unknown>>[];

const heading = { action: "extract", fields: { h1: { locator: { css: "h1" } } } };
const click = (css: string): Steps[number] => ({ action: "click", locator: { css } });

describe("what follows an action", () => {
  let server: Server;
  let origin: string;
  let pool: BrowserPool;
  let pages: Readonly<Record<string, string | ((response: ServerResponse) => void)>>;
  before(async () => {
    server = createServer((request, response) => {
      const { pathname, search } = new URL(request.url ?? "/", "http://site");
      const page = pages[pathname + search] ?? pages[pathname] ?? "";
      response.setHeader("content-type", "text/html; charset=utf-8");
      if (typeof page === "string") response.end(`<!doctype html>${page}`);
      else page(response);
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", () => resolve()));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    pool = openBrowserPool({ binary: await findChromium({}), concurrency: 2 });
  });
  after(async () => {
    await pool.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  interface Run {
    readonly output: JsonObject;
    readonly steps: readonly StepRecord[];
  }

  /** Runs steps from the page "/" on; whatever the page cannot do at once fails after `timeout_seconds`. */
  async function run(site: typeof pages, steps: Steps, timeout_seconds = 60): Promise<Run> {
    pages = site;
    const document = { template_id: "t", version: "1.0.0", status: "active" as const, steps };
    const template = parseTemplate(
      { ...document, starting_page: `${origin}/`, session: { timeout_seconds } },
      "template t",
    );
    const records: StepRecord[] = [];
    const { signal } = new AbortController();
    return pool.withContext({ acceptDownloads: false }, signal, async (context) => {
      const tabs = await openTabs(await context.newPage(), {
        allows: (url) => url.startsWith(origin),
        onFollow: () => undefined,
      });
      const onStep = (step: StepRecord): void => void records.push(step);
      const screenshot = async (): Promise<string> => "";
      const output = await runTemplate({ tabs, template, variables: {}, signal, onStep, screenshot });
      return { output, steps: records };
    });
  }

  async function failure(site: typeof pages, steps: Steps, timeout_seconds?: number): Promise<RowcallError> {
    const thrown: unknown = await run(site, steps, timeout_seconds).then(
      ({ output }) => `nothing failed, but ${JSON.stringify(output)}`,
      (error: unknown) => error,
    );
    assert.ok(thrown instanceof RowcallError, String(thrown));
    return thrown;
  }

  it("pages through a list until there is no next page", async () => {
    const page = (n: number): string => `<h1>${n}</h1>${n < 4 ? `<a class="next" href="/?p=${n + 1}">Next</a>` : ""}`;
    const { output } = await run({ "/": page(1), "/?p=2": page(2), "/?p=3": page(3), "/?p=4": page(4) }, [
      { action: "repeat", times: 5, until: { hidden: { css: "a.next" } }, steps: [click("a.next")] },
      heading,
    ]);
    assert.deepEqual(output, { h1: "4" });
  });

  it("asks conditions of the page that the action leads to", async () => {
    const form = '<form method="post" action="/two"><button id="go">Go</button></form>';
    const { output } = await run({ "/": `<p id="old">old</p>${form}`, "/two": "<h1>Two</h1>" }, [
      click("#go"),
      {
        action: "if",
        condition: { visible: { css: "#old" } },
        then: [{ action: "set", fields: { seen: { value: "old" } } }],
        else: [{ action: "set", fields: { seen: { value: "new" } } }],
      },
    ]);
    assert.deepEqual(output, { seen: "new" });
  });

  it("goes elsewhere only after a form was sent", async () => {
    let sent = 0;
    const { output } = await run(
      {
        "/": '<form method="post" action="/two"><button id="go">Go</button></form>',
        "/two": (response) => {
          sent += 1;
          setTimeout(() => response.end("<h1>Two</h1>"), 100);
        },
        "/three": "<h1>Three</h1>",
      },
      [click("#go"), { action: "goto", url: "/three" }, heading],
    );
    assert.deepEqual([output, sent], [{ h1: "Three" }, 1]);
  });

  it("sends a form that a last field sends, before the row ends", async () => {
    let sent = 0;
    await run(
      {
        "/": `<form method="post" action="/two"><input id="f" oninput="setTimeout(() => this.form.submit(), 50)"></form>`,
        "/two": (response) => {
          sent += 1;
          response.end();
        },
      },
      [{ action: "fill", locator: { css: "#f" }, value: "x" }],
    );
    assert.equal(sent, 1);
  });

  it("fails when the page that it leads to does not come in time, rather than reading the one before", async () => {
    const error = await failure(
      { "/": '<h1>One</h1><a id="go" href="/never">Go</a>', "/never": () => undefined },
      [click("#go"), heading],
      1,
    );
    assert.equal(error.code, "STEP_FAILED");
    assert.match(error.message, /The page http:\S+\/never did not come within 1 s/);
  });

  it("gives a page that takes longer than the action may to the step after it, which may have more time", async () => {
    const slow = (response: ServerResponse): void => void setTimeout(() => response.end("<h1>Two</h1>"), 2000);
    const { output } = await run({ "/": '<h1>One</h1><a id="go" href="/slow">Go</a>', "/slow": slow }, [
      { ...click("#go"), timeout_seconds: 0.5 },
      { action: "wait_for", condition: { visible: { css: "h1" } }, timeout_seconds: 60 },
      heading,
    ]);
    assert.deepEqual(output, { h1: "Two" });
  });

  it("fails a row whose last action leads to a page that does not come", async () => {
    const error = await failure(
      { "/": '<a id="go" href="/never">Go</a>', "/never": () => undefined },
      [click("#go")],
      1,
    );
    assert.equal(error.code, "STEP_FAILED");
  });

  it("fails when the page that it leads to cannot be opened, rather than reading what the browser shows instead", async () => {
    const error = await failure(
      { "/": '<h1>One</h1><a id="go" href="/broken">Go</a>', "/broken": (response) => response.destroy() },
      [click("#go"), { action: "extract", fields: { all: { page: "text" } } }],
    );
    assert.equal(error.code, "PAGE_UNEXPECTED");
    assert.match(error.message, /went to http:\S+\/broken, which could not be opened/);
  });

  it("is not confused by a picture of the old page that comes meanwhile", async () => {
    const held: ServerResponse[] = [];
    const { output } = await run(
      {
        "/": '<h1>One</h1><img src="/picture"><a id="go" href="/two">Go</a>',
        "/picture": (response) => void held.push(response),
        "/two": (response) => {
          for (const picture of held) picture.end();
          setTimeout(() => response.end("<h1>Two</h1>"), 300);
        },
      },
      [click("#go"), heading],
    );
    assert.deepEqual(output, { h1: "Two" });
  });

  it("reads the last of several pages when one overtakes the other", async () => {
    const script = "location = '/slow'; setTimeout(() => (location = '/two'), 20)";
    const { output } = await run(
      {
        "/": `<h1>One</h1><button id="go" onclick="${script}">Go</button>`,
        "/slow": () => undefined,
        "/two": "<h1>Two</h1>",
      },
      [click("#go"), heading],
    );
    assert.deepEqual(output, { h1: "Two" });
  });

  it("reads a list only when the page has come to its end", async () => {
    const { output } = await run(
      {
        "/": '<a id="go" href="/list">Go</a>',
        "/list": (response) => {
          response.write(`<!doctype html><li>1<li>2${" ".repeat(4096)}`);
          setTimeout(() => response.end("<li>3"), 300);
        },
      },
      [click("#go"), { action: "extract", fields: { list: { all: { css: "li" } } } }],
    );
    assert.deepEqual(output, { list: ["1", "2", "3"] });
  });

  it("does not read half a page", async () => {
    const error = await failure(
      {
        "/": '<a id="go" href="/half">Go</a>',
        "/half": (response) => void response.write(`<h1>Two${" ".repeat(4096)}`),
      },
      [click("#go"), heading],
      1,
    );
    assert.equal(error.code, "STEP_FAILED");
    assert.match(error.message, /The page http:\S+\/half was still being loaded after 1 s/);
  });

  it("reads relative addresses as links on the page are", async () => {
    const next = { action: "extract", fields: { next: { locator: { css: "a" }, attribute: "href" } } };
    const site = {
      "/": '<a href="sub/d1">next</a>',
      "/sub/d1": "<h1>D1</h1>",
      "/sub/d1?p=2": "<h1>Second</h1>",
      "/base": '<base href="/sub/"><h1>Base</h1>',
    };
    const { output } = await run(site, [
      next,
      { action: "goto", url: "{{next}}" },
      { action: "goto", url: "?p=2" },
      heading,
    ]);
    assert.deepEqual(output, { next: "sub/d1", h1: "Second" });
    const second = await run(site, [{ action: "goto", url: "/base" }, { action: "goto", url: "d1" }, heading]);
    assert.deepEqual(second.output, { h1: "D1" });
  });

  it("opens web pages only", async () => {
    const wrong = await failure({ "/": "" }, [{ action: "goto", url: "http://[" }]);
    assert.equal(wrong.code, "STEP_FAILED");
    assert.match(wrong.message, /"http:\/\/\[" is not an address/);
    for (const url of ["file:///etc/passwd", "javascript:alert(1)", "chrome://version"])
      assert.equal((await failure({ "/": "" }, [{ action: "goto", url }])).code, "HOST_BLOCKED", url);
  });

  it("follows a page that leads on while it is opened", async () => {
    const { output } = await run({ "/": "<h1>One</h1><script>location = '/two'</script>", "/two": "<h1>Two</h1>" }, [
      heading,
    ]);
    assert.deepEqual(output, { h1: "Two" });
  });

  describe("in tabs", () => {
    const opener = '<h1>One</h1><a id="go" target="_blank" href="/two">Go</a>';

    it("goes on in the tab that an action opens, says so, and comes back when that is closed", async () => {
      const { output, steps } = await run(
        { "/": opener, "/two": `<h1>Two</h1><button id="close" onclick="window.close()">Close</button>` },
        [
          click("#go"),
          { action: "extract", fields: { there: { locator: { css: "h1" } } } },
          click("#close"),
          { action: "extract", fields: { back: { locator: { css: "h1" } } } },
        ],
      );
      assert.deepEqual(output, { there: "Two", back: "One" });
      assert.equal(steps[1]?.detail, `it opened a tab: ${origin}/two`);
      assert.equal(steps[3]?.detail, `its tab was closed; the steps go on at ${origin}/`);
    });

    for (const [what, element, action] of [
      ["the button goes down", '<button id="go" onmousedown="window.close()">Close</button>', click("#go")],
      ["a field is filled", '<input id="go" oninput="window.close()">', { action: "fill", value: "x" }],
      ["a key goes down", '<input id="go" onkeydown="window.close()">', { action: "press", key: "Enter" }],
      [
        "another is chosen",
        '<select id="go" onchange="window.close()"><option>a<option>b</select>',
        { action: "select", option: "b" },
      ],
      ["a box is checked", '<input id="go" type="checkbox" onclick="window.close()">', { action: "check" }],
    ] as const)
      it(`comes back from a tab that closes as soon as ${what}`, async () => {
        const closing = { locator: { css: "#go" }, ...action };
        const { output, steps } = await run({ "/": opener, "/two": `<h1>Two</h1>${element}` }, [
          click("#go"),
          closing,
          heading,
        ]);
        assert.deepEqual(output, { h1: "One" });
        // What fields have set off is waited for by the next step.
        const detail = steps[what === "a field is filled" ? 3 : 2]?.detail;
        assert.match(detail ?? "", /its tab was closed; the steps go on at /);
      });

    it("stays on its page when the tab goes to another host, and says so", async () => {
      const elsewhere = opener.replace("/two", "http://localhost:1/");
      const { output, steps } = await run({ "/": elsewhere }, [click("#go"), heading]);
      assert.deepEqual(output, { h1: "One" });
      assert.match(
        steps[1]?.detail ?? "",
        /went to http:\/\/localhost:1\/, outside of the allowed hosts; the steps stay/,
      );
    });

    it("fails when the tab cannot be opened", async () => {
      const error = await failure({ "/": opener, "/two": (response) => response.destroy() }, [click("#go"), heading]);
      assert.equal(error.code, "PAGE_UNEXPECTED");
    });
  });

  describe("in dialogs", () => {
    const asking = `<button id="alert" onclick="alert('Unknown postcode')">A</button>
      <button id="ask" onclick="document.querySelector('h1').textContent = [confirm('Really?'), prompt('Name?')].join()">B</button><h1></h1>`;

    it("confirms nothing, and says what was asked", async () => {
      const { output, steps } = await run({ "/": asking }, [click("#ask"), heading]);
      assert.deepEqual(output, { h1: "false," });
      assert.equal(
        steps[1]?.detail,
        `the page's confirm "Really?" was dismissed; the page's prompt "Name?" was dismissed`,
      );
    });

    it("makes what was said last a variable", async () => {
      const fail = { action: "fail", code: "CHOICE_NONE", message: "The site says: {{dialog}}" };
      const steps = [
        { action: "expect", condition: { value: "dialog", empty: true } },
        click("#alert"),
        { action: "if", condition: { value: "dialog", matches: "^Unknown" }, then: [fail] },
      ];
      const error = await failure({ "/": asking }, steps);
      assert.deepEqual([error.code, error.message], ["CHOICE_NONE", "The site says: Unknown postcode"]);
    });

    it("names a dialog in the error of the step during which it came", async () => {
      const steps = [{ action: "check", locator: { css: "#box" } }];
      const box = `<input type="checkbox" id="box" onclick="alert('Not allowed'); return false">`;
      const error = await failure({ "/": box }, steps);
      assert.match(error.message, /the box did not change; the page's alert "Not allowed" was closed$/);
    });

    it("leaves a page that asks whether it may be left", async () => {
      const script = "<script>onbeforeunload = (event) => event.preventDefault()</script>";
      const { output, steps } = await run(
        { "/": `${script}<button id="touch">T</button><a id="go" href="/two">Go</a>`, "/two": "<h1>Two</h1>" },
        [click("#touch"), click("#go"), heading],
      );
      assert.deepEqual(output, { h1: "Two" });
      assert.equal(steps[2]?.detail, undefined);
    });
  });
});
