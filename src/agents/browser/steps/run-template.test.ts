import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import type { StepRecord } from "../../../core/attempt.ts";
import { RowcallError, type ErrorCode } from "../../../core/errors.ts";
import type { JsonObject } from "../../../core/json.ts";
import { launchBrowser, type BrowserProcess } from "../chromium/browser-process.ts";
import { findChromium } from "../chromium/chromium.ts";
import { runTemplate } from "./run-template.ts";
import { openTabs } from "../page/tabs.ts";
import { parseTemplate } from "../template/template.ts";

type Steps = readonly Readonly<Record<string, unknown>>[];

interface Run {
  readonly output: JsonObject;
  readonly steps: readonly StepRecord[];
}

const events = `<script>
  window.seen = [];
  for (const type of ["input", "change", "click"]) document.addEventListener(type, (event) => seen.push(type + (event.isTrusted ? "" : " by script")), true);
</script>`;
const seen = { seen: { locator: { css: "#seen" }, required: false } };
const tell =
  '<button id="tell" onclick="document.querySelector(\'#seen\').textContent = seen.join()">Tell</button><p id="seen"></p>';

describe("runTemplate", () => {
  let server: Server;
  let chromium: BrowserProcess;
  let origin: string;
  let html = "";
  before(async () => {
    server = createServer((request, response) => {
      const { pathname, search } = new URL(request.url ?? "/", "http://site");
      response.setHeader("content-type", "text/html; charset=utf-8");
      if (pathname === "/down") response.statusCode = 503;
      response.end(pathname === "/next" ? `<h1>Next</h1><p id="query">${search}</p>` : html);
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", () => resolve()));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    chromium = await launchBrowser(await findChromium({}));
  });
  after(async () => {
    await chromium.end();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  async function run(
    body: string,
    steps: Steps,
    variables: JsonObject = {},
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<Run> {
    html = body;
    const document = {
      template_id: "t",
      version: "1.0.0",
      status: "active" as const,
      starting_page: `${origin}/`,
      // What is there is found at once, on a busy machine a little later.
      session: { timeout_seconds: 3 },
      steps,
      ...more,
    };
    const template = parseTemplate(document, "template t");
    const records: StepRecord[] = [];
    const context = await chromium.browser.newContext();
    try {
      const tabs = await openTabs(await context.newPage());
      const signal = new AbortController().signal;
      const output = await runTemplate({
        tabs,
        template,
        variables,
        signal,
        onStep: (step) => void records.push(step),
        screenshot: async (name) => `memory:/${name}`,
      });
      return { output, steps: records };
    } catch (thrown) {
      if (thrown instanceof RowcallError) Object.assign(thrown, { records });
      throw thrown;
    } finally {
      await context.close();
    }
  }

  async function fails(
    code: ErrorCode,
    message: RegExp,
    body: string,
    steps: Steps,
    variables: JsonObject = {},
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<RowcallError> {
    const thrown: unknown = await run(body, steps, variables, { session: { timeout_seconds: 1 }, ...more }).then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.ok(thrown instanceof RowcallError, String(thrown));
    assert.equal(thrown.code, code, thrown.message);
    assert.match(thrown.message, message);
    return thrown;
  }

  describe("values of a page", () => {
    const long = `<a title="${"x".repeat(600_000)}"></a>`;
    const tooMuch = (length: string): RegExp =>
      new RegExp(`"it" has ${length} characters on the page; a value read from a page has at most 1,000,000`);

    it("have an end, all texts of a list together", async () => {
      const read = (field: object): Steps => [{ action: "extract", fields: { it: { attribute: "title", ...field } } }];
      const optional = { required: false, default: "none", pattern: "(.)" };
      const text = [{ action: "extract", fields: { it: { page: "text", ...optional } } }];
      await fails("PAGE_UNEXPECTED", tooMuch("1,200,000"), "<p>text</p>".replace("text", "x".repeat(1_200_000)), text);
      await fails("PAGE_UNEXPECTED", tooMuch("1,200,000"), long + long, read({ all: { css: "a", hidden: true } }));
      const { output } = await run(long, read({ locator: { css: "a", hidden: true } }));
      assert.equal(String(output["it"]).length, 600_000);
    });

    it("hold up their page alone with a pattern that takes endless time in it", async () => {
      const title = `<title>${"a".repeat(60)}!</title><h1>A</h1>`;
      const look = { action: "wait_for", condition: { title: "^(a+)+$" } };
      await fails("STEP_FAILED", /The page could not be asked: it does not answer/, title, [look]);
      const { output } = await run("<h1>B</h1>", [{ action: "extract", fields: { h: { locator: { css: "h1" } } } }]);
      assert.deepEqual(output, { h: "B" });
    });
  });

  describe("finding things", () => {
    const value = async (field: string, locator: object): Promise<unknown> =>
      (
        await run(`${field}<input aria-label="another">`, [
          { action: "fill", locator, value: "x" },
          { action: "extract", fields: { took: { locator } } },
        ])
      ).output["took"];

    it("finds a field by any kind of label", async () => {
      const locator = { label: "post code" };
      assert.equal(await value('<label for="a">Post Code:</label><input id="a">', locator), "x");
      assert.equal(await value("<label>Post Code <input></label>", locator), "x");
      assert.equal(await value('<input aria-label="Post Code">', locator), "x");
      assert.equal(await value('<b id="b">Post Code</b><input aria-labelledby="b">', locator), "x");
      assert.equal(
        await value(
          "<form><mat-field><span><mat-label><strong>Post Code *</strong></mat-label></span><input></mat-field></form>",
          locator,
        ),
        "x",
      );
      assert.equal(await value("<table><tr><td>Post Code</td><td><input></td></tr></table>", locator), "x");
    });

    it("finds by role, placeholder, test id, css and inside of shadow trees", async () => {
      assert.equal(
        await value('<input type="number" value="">', { role: "spinbutton" }).catch(
          (error: RowcallError) => error.code,
        ),
        "STEP_FAILED",
      );
      assert.equal(await value('<input type="email" title="Mail">', { role: "textbox", name: "Mail" }), "x");
      assert.equal(await value('<input placeholder="Your town">', { placeholder: "your town" }), "x");
      assert.equal(await value('<input data-testid="town">', { test_id: "town" }), "x");
      assert.equal(await value(`<input id="town ">`, { css: "[id='town ']" }), "x");
      assert.equal(
        await value('<div><template shadowrootmode="open"><input class="deep"></template></div>', { css: ".deep" }),
        "x",
      );
    });

    it("takes the first of several locators that finds anything, and names all of them when none does", async () => {
      const fallbacks = [{ label: "Post Code" }, { css: "#none" }, { css: "#pc" }];
      assert.equal(await value('<input id="pc">', fallbacks), "x");
      await fails(
        "STEP_FAILED",
        /Step fill label "Post Code" or css "#none" or css "#pc": is not there after 1 s; the page "T" at http:\S+ says "Try later"/,
        '<title>T</title><p role="alert">Try later</p>',
        [{ action: "fill", locator: fallbacks, value: "x" }],
      );
    });

    it("does not pick one of several", async () => {
      const body =
        "<section><h2>A</h2><button>Go</button></section><section id='b'><h2>B</h2><button>Go</button></section><button hidden>Go</button>";
      const go = { role: "button", name: "Go" };
      await fails("STEP_FAILED", /is there 2 times: <button> "Go", <button> "Go"/, body, [
        { action: "click", locator: go },
      ]);
      await run(body, [{ action: "click", locator: { ...go, nth: 2 } }]);
      await run(body, [{ action: "click", locator: { ...go, within: { css: "#b" } } }]);
    });
  });

  describe("acting", () => {
    it("fills as if typed: the page gets trusted events, and values stay what they are", async () => {
      const text = `"O'Brien" & <b>Sons</b> \\ {{postcode}} 😀`;
      const { output } = await run(
        `${events}<label>A <input id="a" value="old"></label>${tell}`,
        [
          { action: "fill", locator: { label: "A" }, value: "{{text}}" },
          { action: "extract", fields: { a: { locator: { css: "#a" } } } },
          { action: "fill", locator: { label: "A" }, value: "" },
          { action: "click", locator: { css: "#tell" } },
          { action: "extract", fields: { empty: { locator: { css: "#a" }, required: false }, ...seen } },
        ],
        { text },
      );
      assert.deepEqual(output, { a: text, empty: null, seen: "input,input,change,click" });
    });

    it("says so when a field does not take its value", async () => {
      const fill = (css: string): Steps => [{ action: "fill", locator: { css }, value: "45A" }];
      await fails("STEP_FAILED", /it took "45" in place of "45A"/, '<input id="n" type="number">', fill("#n"));
      await fails("STEP_FAILED", /it took "45" in place/, '<input id="n" maxlength="2">', fill("#n"));
      await fails("STEP_FAILED", /it is disabled/, '<input id="n" disabled>', fill("#n"));
      await fails("STEP_FAILED", /it is read-only/, '<input id="n" readonly>', fill("#n"));
      assert.deepEqual(
        (
          await run('<input id="n" oninput="value = value.toUpperCase()">', [
            ...fill("#n"),
            { action: "extract", fields: { n: { locator: { css: "#n" } } } },
          ])
        ).output,
        { n: "45A" },
      );
      assert.deepEqual(
        (
          await run('<input id="d" type="date">', [
            { action: "fill", locator: { css: "#d" }, value: "2026-02-28" },
            { action: "extract", fields: { d: { locator: { css: "#d" } } } },
          ])
        ).output,
        { d: "2026-02-28" },
      );
    });

    it("clicks once a button can be clicked", async () => {
      const body = `${events}<button id="go" disabled>Go</button>${tell}<script>setTimeout(() => (go.disabled = false), 60)</script>`;
      const { output } = await run(body, [
        { action: "click", locator: { css: "#go" } },
        { action: "click", locator: { css: "#tell" } },
        { action: "extract", fields: seen },
      ]);
      assert.deepEqual(output, { seen: "click,click" });
      await fails("STEP_FAILED", /it is disabled after 1 s/, "<button disabled>Go</button>", [
        { action: "click", locator: { role: "button" } },
      ]);
    });

    it("clicks away what it was told to, and names what covers the page otherwise", async () => {
      const cover =
        '<div id="cover" style="position:fixed;inset:0;background:#eee">Cookies? <button onclick="cover.remove()">Reject</button></div>';
      const body = `<button onclick="document.title = 'clicked'">Go</button>${cover}`;
      const click = [
        { action: "click", locator: { role: "button", name: "Go" } },
        { action: "expect", condition: { title: "^clicked$" } },
      ];
      await run(body, click, {}, { dismiss: [{ role: "button", name: "Reject" }] });
      await fails("STEP_FAILED", /it is covered by <div#cover> "Cookies\? Reject" after/, body, click);
      await fails(
        "STEP_FAILED",
        /came back after every click/,
        body.replace("cover.remove()", ""),
        click,
        {},
        { dismiss: [{ role: "button", name: "Reject" }] },
      );
    });

    it("scrolls to what is out of sight", async () => {
      const body = '<div style="height:5000px"></div><button onclick="document.title = 1">Go</button>';
      await run(body, [
        { action: "click", locator: { text: "Go" } },
        { action: "expect", condition: { title: "1" } },
      ]);
    });

    it("selects, checks and presses", async () => {
      const body = `${events}<select id="s"><option>Pick</option><option value="b">Second  one</option></select>
        <label><input type="checkbox" id="c"> Agree</label><form onsubmit="document.title = 'sent'; return false"><input id="t"></form>`;
      const { output } = await run(body, [
        { action: "select", locator: { css: "#s" }, option: "second one" },
        { action: "check", locator: { label: "Agree" } },
        { action: "check", locator: { label: "Agree" } },
        { action: "press", locator: { css: "#t" }, key: "Enter" },
        { action: "expect", condition: { all: [{ title: "sent" }, { visible: { css: "#c:checked" } }] } },
        { action: "extract", fields: { s: { locator: { css: "#s" } } } },
        { action: "select", locator: { css: "#s" }, value: "Pick" },
        { action: "check", locator: { label: "Agree" }, checked: false },
        { action: "expect", condition: { not: { visible: { css: "#c:checked" } } } },
      ]);
      assert.deepEqual(output, { s: "Second one" });
      await fails("STEP_FAILED", /has no option "Third", but "Pick", "Second one"/, body, [
        { action: "select", locator: { css: "#s" }, option: "Third" },
      ]);
      await fails("STEP_FAILED", /the box did not change/, '<input type="checkbox" onclick="return false">', [
        { action: "check", locator: { role: "checkbox" } },
      ]);
    });
  });

  describe("waiting", () => {
    it("goes on with the first condition that holds, across pages", async () => {
      const { output } = await run("<script>setTimeout(() => (location = '/next?a=1'), 40)</script>", [
        {
          action: "wait_for",
          first_of: { never: { visible: { css: "#never" } }, next: { all: [{ url: "/next" }, { text: "next" }] } },
          as: "came",
          timeout_seconds: 5,
        },
        { action: "extract", fields: { query: { locator: { css: "#query" } } } },
      ]);
      assert.deepEqual(output, { came: "next", query: "?a=1" });
      await fails(
        "STEP_FAILED",
        /Step wait_for text "ready" is visible: none of it is there after 1 s; .* is blank/,
        "",
        [{ action: "wait_for", condition: { text: "ready" } }],
      );
    });
  });

  describe("extracting", () => {
    it("reads texts, attributes, lists, numbers and booleans", async () => {
      const body = `<h1>Shop</h1><a id="l" href="/x">Link</a><ul><li>one</li><li>two</li></ul><p id="price">Price: 1,234.50 GBP</p><p id="stock">Yes</p><p id="none">--</p>`;
      const { output } = await run(body, [
        {
          action: "extract",
          fields: {
            head: { locator: { role: "heading" } },
            href: { locator: { role: "link", name: "Link" }, attribute: "href" },
            items: { all: { role: "listitem" } },
            price: { locator: { css: "#price" }, type: "number", pattern: "([\\d.,]+) GBP" },
            stock: { locator: { css: "#stock" }, type: "boolean" },
            none: { locator: { css: "#none" }, type: "number", required: false },
            gone: { locator: { css: "#gone" }, default: "unknown" },
            found: { page: "text", pattern: "Shop (\\w+)" },
            address: { page: "url", pattern: "^(http)" },
          },
        },
      ]);
      assert.deepEqual(output, {
        head: "Shop",
        href: "/x",
        items: ["one", "two"],
        price: 1234.5,
        stock: true,
        none: null,
        gone: "unknown",
        found: "Link",
        address: "http",
      });
    });

    it("never gives back nothing for what is required", async () => {
      const body = '<p id="a">--</p><p id="b">many</p>';
      const one = (field: object): Steps => [{ action: "extract", fields: { speed: { type: "number", ...field } } }];
      await fails(
        "EXTRACT_EMPTY",
        /nothing to extract for speed: is not there; the page .* shows "-- many"/,
        body,
        one({ locator: { css: "#c" } }),
      );
      await fails(
        "EXTRACT_EMPTY",
        /Nothing to extract for "speed": the page shows "--"/,
        body,
        one({ locator: { css: "#a" } }),
      );
      await fails(
        "EXTRACT_EMPTY",
        /\\d\+ is not found in "many"/,
        body,
        one({ locator: { css: "#b" }, pattern: "\\d+" }),
      );
      await fails(
        "PAGE_UNEXPECTED",
        /"speed" should be a number, but the page shows "many"/,
        body,
        one({ locator: { css: "#b" } }),
      );
    });

    const copper = `<div><b>Products</b><div><table>
      <thead><tr><th rowspan="2"></th><th colspan="2">Down (Mbps)</th><th rowspan="2">Date</th></tr><tr><th>High</th><th>Low</th></tr></thead>
      <tr><th scope="row">VDSL A <span hidden>help</span></th><td>80</td><td>74</td><td>Available</td></tr>
      <tr hidden><th scope="row">VDSL B</th><td>--</td><td>--</td><td>--</td></tr></table></div></div>`;
    const fibre =
      '<div><b>Products</b><div><table><tr><th></th><th>Down(Mbps)</th></tr><tr class="info"><th scope="row">FTTP</th><td>Up to 330</td></tr></table></div></div>';
    const tables = {
      copper: {
        title: "Products",
        columns: [["Down (Mbps)", "High"], ["Down (Mbps)", "Low"], "Date"],
        rows: ["VDSL A", "VDSL B"],
      },
      fibre: { title: "Products", columns: ["Down (Mbps)"], rows: ["FTTP"] },
    };
    const cell = (row: string, column: unknown, more: object = {}): object => ({
      table: "copper",
      row,
      column,
      type: "number",
      ...more,
    });

    it("reads tables of one title by their columns, headers of two rows and hidden rows included", async () => {
      const { output } = await run(copper + fibre, [
        {
          action: "extract",
          tables,
          unknown_tables: "fail",
          fields: {
            low: cell("VDSL A", ["Down (Mbps)", "Low"]),
            second: cell("VDSL A", 2),
            hidden: cell("VDSL B", ["Down (Mbps)", "Low"], { required: false }),
            fibre: { table: "fibre", row: "FTTP", column: "Down (Mbps)", type: "number", pattern: "Up to (\\d+)" },
            all: {
              rows: {
                copper: { down: { column: ["Down (Mbps)", "High"], type: "number" }, date: { column: "Date" } },
                fibre: { down: { column: "Down (Mbps)", type: "number", pattern: "(\\d+)$" } },
              },
            },
          },
        },
      ]);
      assert.deepEqual(output, {
        low: 74,
        second: 74,
        hidden: null,
        fibre: 330,
        all: [
          { table: "copper", row: "VDSL A", down: 80, date: "Available" },
          { table: "fibre", row: "FTTP", down: 330 },
        ],
      });
    });

    it("fails when a table is not what it was", async () => {
      const extract = (
        fields: object = { low: cell("VDSL A", ["Down (Mbps)", "Low"]) },
        unknown_tables = "ignore",
      ): Steps => [{ action: "extract", tables: { copper: tables.copper }, unknown_tables, fields }];
      await fails(
        "PAGE_UNEXPECTED",
        /table "Products" is not there as expected: column "Date" is missing, column "When" is new/,
        copper.replace("Date", "When"),
        extract(),
      );
      await fails("PAGE_UNEXPECTED", /row "FTTC" is new/, copper.replace("VDSL A", "FTTC"), extract());
      await fails(
        "PAGE_UNEXPECTED",
        /table that is not known, "Products": column .* is missing/,
        copper + fibre,
        extract(undefined, "fail"),
      );
      await fails("PAGE_UNEXPECTED", /table "copper" is there 2 times/, copper + copper, extract());
      await fails(
        "PAGE_UNEXPECTED",
        /low: column "Up" is not there/,
        copper,
        extract({ low: cell("VDSL A", "Up", { required: false }) }),
      );
      await fails("EXTRACT_EMPTY", /low: row "VDSL B" is not there/, copper, extract({ low: cell("VDSL B", "Date") }));
    });
  });

  describe("choosing", () => {
    const options = ["1 Church View, Doncaster, DN12 1RH", "1A Church View, Doncaster, DN12 1RH"]
      .map((text) => `<option value="${text}">${text}</option>`)
      .join("");
    const list = `<select id="list" size="4" onchange="document.title = this.value"><option value="">Please select</option>${options}</select>`;
    const choose = {
      action: "choose",
      locator: { role: "listbox" },
      wanted: { building_number: "{{number}}", street: "Church View", postcode: "DN12 1RH" },
      as: "chosen",
    };

    it("picks the address in a list, with the browser's own events", async () => {
      const { output, steps } = await run(list, [choose, { action: "expect", condition: { title: "^{{chosen}}$" } }], {
        number: "1a",
      });
      assert.deepEqual(output, { chosen: "1A Church View, Doncaster, DN12 1RH" });
      assert.match(steps[1]?.detail ?? "", /the street is the same, the number too/);
    });

    it("clicks the address among links", async () => {
      const links =
        '<ul><li><a href="/next?1">1 Church View, DN12 1RH</a></li><li><a href="/next?2">2 Church View, DN12 1RH</a></li></ul>';
      const { output } = await run(
        links,
        [
          { ...choose, locator: { role: "link" } },
          { action: "extract", fields: { query: { locator: { css: "#query" } } }, timeout_seconds: 5 },
        ],
        { number: "2" },
      );
      assert.equal(output["query"], "?2");
    });

    it("never guesses", async () => {
      const error = await fails(
        "CHOICE_NONE",
        /"2 Church View, DN12 1RH" is not among the 2 options; nearest: "1 Church View, Doncaster, DN12 1RH"/,
        list,
        [choose],
        { number: "2" },
      );
      assert.equal(error.retryable, false);
      await fails(
        "CHOICE_AMBIGUOUS",
        /is ambiguous: 2 options fit equally well.*: "1 Church View, Doncaster, DN12 1RH", "1 Church View, Doncaster/,
        list.replaceAll("1A", "1"),
        [choose],
        { number: "1" },
      );
    });

    it("expects the address that was asked for", async () => {
      const expect = { action: "expect", address: { shown: "{{shown}}", wanted: choose.wanted } };
      await run("", [expect], { number: "1", shown: "1 Church View, Doncaster" });
      await fails(
        "PAGE_UNEXPECTED",
        /The page shows "3 Church View", but asked for was "1 Church View, DN12 1RH": the street is the same, the number is 3/,
        "",
        [expect],
        { number: "1", shown: "3 Church View" },
      );
    });
  });

  describe("going through steps", () => {
    const set = (name: string, value: unknown): Readonly<Record<string, unknown>> => ({
      action: "set",
      fields: { [name]: { value } },
    });

    it("branches, repeats and recovers", async () => {
      const body = '<button onclick="n.textContent = Number(n.textContent) + 1">More</button><p id="n">0</p>';
      const { output, steps } = await run(body, [
        {
          action: "if",
          condition: { value: "town", empty: true },
          then: [set("town_given", false)],
          else: [set("town_given", "{{town}}")],
        },
        {
          action: "repeat",
          times: 5,
          until: { value: "n", at_least: 3 },
          steps: [
            { action: "click", locator: { text: "More" } },
            { action: "extract", fields: { n: { locator: { css: "#n" }, type: "number" } } },
          ],
        },
        {
          action: "try",
          as: "problem",
          steps: [{ action: "click", locator: { css: "#none" } }, set("never", 1)],
          catch: [set("recovered", "{{problem.code}}")],
        },
      ]);
      assert.deepEqual(output, { town_given: false, n: 3, recovered: "STEP_FAILED" });
      assert.equal(steps.find((step) => step.status === "failed")?.name, 'click css "#none"');
      await fails("PAGE_UNEXPECTED", /did not come true within 2 times/, body, [
        { action: "repeat", times: 2, until: { text: "7" }, steps: [set("a", 1)] },
      ]);
    });

    it("ends with the template's own error, and with one that says that there is no language model", async () => {
      const error = await fails("NEEDS_HUMAN", /^The site says: Captcha!$/, "<p>Captcha!</p>", [
        { action: "extract", fields: { said: { locator: { css: "p" } } } },
        { action: "fail", code: "NEEDS_HUMAN", message: "The site says: {{said}}", hint: "Look it up by hand." },
      ]);
      assert.equal(error.hint, "Look it up by hand.");
      await fails("MODEL_MISSING", /no language model is configured/, "", [
        { action: "act", prompt: "Click {{what}}" },
      ]);
    });

    it("goes on after a failed step when told to", async () => {
      const { output, steps } = await run(
        "",
        [{ action: "click", locator: { css: "#none" } }, set("a", 1)],
        {},
        { abort_on_error: false },
      );
      assert.deepEqual(output, { a: 1 });
      assert.deepEqual(
        steps.map((step) => step.status),
        ["done", "failed", "done"],
      );
      await fails(
        "PAGE_UNEXPECTED",
        /enough/,
        "",
        [{ action: "fail", message: "enough" }],
        {},
        { abort_on_error: false },
      );
    });

    it("ends at once when it is aborted between two tries", async () => {
      const template = parseTemplate(
        {
          template_id: "t",
          version: "1.0.0",
          status: "active",
          starting_page: `${origin}/`,
          steps: [{ action: "repeat", times: 2, delay_seconds: 600, steps: [set("a", 1)] }],
        },
        "template t",
      );
      const aborter = new AbortController();
      const context = await chromium.browser.newContext();
      const onStep = (step: StepRecord): void => {
        if (step.name === "set a") setImmediate(() => aborter.abort(new RowcallError("TIMEOUT", "Execution timeout")));
      };
      const tabs = await openTabs(await context.newPage());
      const running = runTemplate({
        tabs,
        template,
        variables: {},
        signal: aborter.signal,
        onStep,
        screenshot: async () => "",
      });
      await assert.rejects(running, { code: "TIMEOUT" });
      await context.close();
    });

    it("gives back the names of the output only, and keeps pictures", async () => {
      const { output, steps } = await run(
        "",
        [set("a", 1), set("b", [{ c: "{{d}}" }]), { action: "screenshot", file: "end" }],
        { d: 2 },
        { output: ["b"] },
      );
      assert.deepEqual(output, { b: [{ c: "2" }] });
      assert.equal(steps.at(-1)?.detail, "memory:/end");
    });

    it("works fields out from what was extracted", async () => {
      const offers = [
        { kind: "a", down: 80, date: "Available" },
        { kind: "b", down: 330, date: "Waiting" },
        { kind: "c", down: null, date: "Available" },
      ];
      const { output } = await run(
        "",
        [
          {
            action: "set",
            fields: {
              good: { filter: "offers", where: { value: "date", equals: "Available" } },
              best: { max: "good.down" },
              worst: { min: ["offers.down", "extra"] },
              many: { count: "good" },
              any: { condition: { value: "good", empty: false } },
              kind: {
                first: [
                  { when: { some: "good", where: { value: "kind", equals: "b" } }, value: "B" },
                  { when: { value: "best", at_most: 80 }, value: "A" },
                ],
              },
              town: { pattern: "in (.+)$", in: "5 Wye Street in {{place}}" },
              other: { pattern: "^{{place}}$", in: "Rossxon-Wye", otherwise: "none" },
              copy: { from: "good" },
            },
          },
        ],
        { offers, extra: 2, place: "Ross.on-Wye" },
        { output: ["best", "worst", "many", "any", "kind", "town", "other"] },
      );
      assert.deepEqual(output, {
        best: 80,
        worst: 2,
        many: 2,
        any: true,
        kind: "A",
        town: "Ross.on-Wye",
        other: "none",
      });
      await fails("EXTRACT_EMPTY", /"x" cannot be set: \\d is not found in "none"/, "", [
        { action: "set", fields: { x: { pattern: "\\d", in: "none" } } },
      ]);
    });
  });

  describe("before and at the start", () => {
    it("finds wrong variables before a page is opened, and never tries them again", async () => {
      const more = { variables: { postcode: { required: true, format: "uk-postcode" }, town: {} } };
      const step = { action: "set", fields: { p: { value: "{{postcode}}{{#town}}, {{town}}{{/town}}" } } };
      assert.deepEqual((await run("", [step], { postcode: " sw1a1aa " }, more)).output, { p: "SW1A 1AA" });
      const error = await fails(
        "ROW_INVALID",
        /postcode "12345" is not a UK postcode/,
        "",
        [step],
        { postcode: "12345" },
        more,
      );
      assert.equal(error.retryable, false);
      assert.deepEqual((error as RowcallError & { records: StepRecord[] }).records, []);
      await fails("TEMPLATE_RENDER", /"postcode" is missing/, "", [step], { postcode: "" }, more);
    });

    it("says what a site that is down answers", async () => {
      await fails(
        "PAGE_UNEXPECTED",
        /\/down answered with status 503; the page "" at \S+ says "Closed for now"/,
        '<p class="error">Closed for now</p>',
        [{ action: "screenshot", file: "a" }],
        {},
        { starting_page: `${origin}/down` },
      );
      await fails(
        "PAGE_UNEXPECTED",
        /could not be opened: ERR_CONNECTION_REFUSED|ERR_UNSAFE_PORT/,
        "",
        [{ action: "screenshot", file: "a" }],
        {},
        { starting_page: "http://127.0.0.1:1/" },
      );
    });
  });
});
