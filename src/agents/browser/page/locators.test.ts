import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import type { JsonObject } from "../../../core/json.ts";
import { askPage } from "./ask-page.ts";
import { launchBrowser, type BrowserProcess } from "../chromium/browser-process.ts";
import { findChromium } from "../chromium/chromium.ts";
import type { PageAnswer, PageSource, PageTask } from "./in-page/protocol.ts";
import { toPageLocators, type Locator } from "../template/locators.ts";
import { openTab, type Tab } from "./tab.ts";

describe("locators", () => {
  let chromium: BrowserProcess;
  let page: Page;
  let tab: Tab;
  before(async () => {
    chromium = await launchBrowser(await findChromium({}));
    page = await chromium.browser.newPage();
    tab = await openTab(page, () => {});
  });
  after(() => chromium.end());

  const ask = (task: PageTask): Promise<PageAnswer> => askPage(tab, task, { waitMs: 0, limitMs: 30_000 });
  const target = (locator: Locator): ReturnType<typeof toPageLocators> => toPageLocators(locator, {});

  /** What a field of an extract step gets. */
  async function read(source: PageSource): Promise<unknown> {
    const answer = await ask({
      kind: "extract",
      fields: [{ name: "it", source, required: false }],
      tables: {},
      unknownTables: "ignore",
      maxLength: 1000,
    });
    const value = answer.status === "done" ? answer.value.fields?.["it"] : undefined;
    return value?.found === "text" ? value.text : value?.found === "texts" ? value.texts : undefined;
  }

  /** The `data-n` of what a locator finds, in order. */
  async function found(locator: Locator): Promise<readonly unknown[]> {
    return (
      ((await read({ kind: "elements", target: target(locator), attribute: "data-n" })) as unknown[] | undefined) ?? []
    );
  }

  async function finds(html: string, cases: readonly (readonly [Locator, readonly string[]])[]): Promise<void> {
    await page.setContent(html);
    for (const [locator, wanted] of cases)
      assert.deepEqual(await found(locator), wanted, `${JSON.stringify(locator)} in ${html}`);
  }

  const shadow = (inside: string): string => `<template shadowrootmode="open">${inside}</template>`;
  const label = (value: string): Locator => ({ label: value });
  const role = (value: string, name?: string): Locator => ({ role: value, ...(name === undefined ? {} : { name }) });

  describe("names of fields", () => {
    it("leaves a field's own options and value out of its label", async () => {
      await finds("<label>Status <select data-n=1><option>Any<option>Open</select></label>", [
        [label("Status"), ["1"]],
        [role("combobox", "Status"), ["1"]],
        [label("Any"), []],
      ]);
      await finds("<label>Note <textarea data-n=1>old words</textarea></label>", [[label("Note"), ["1"]]]);
      await finds("<label>Size <select data-n=1 multiple><option>S<option selected>M</select> of shirt</label>", [
        [role("listbox", "Size of shirt"), ["1"]],
      ]);
      await finds('<label>Town <div data-n=1 role="textbox" contenteditable>London</div></label>', [
        [label("Town"), ["1"]],
      ]);
      await finds("<label for=a>Town</label><label for=a> of birth</label><input id=a data-n=1>", [
        [label("Town"), ["1"]],
        [label("Town of birth"), ["1"]],
      ]);
    });

    it("puts a label together from its pieces, without hidden ones", async () => {
      const pieces =
        "<label for=a><span>Post</span> <b>co<i>de</i></b><span hidden>secret</span><span aria-hidden=true> *</span></label><input id=a data-n=1>";
      await finds(pieces, [
        [label("Post code"), ["1"]],
        [{ label: "Post code", match: "exact" }, ["1"]],
        [{ label: "secret", match: "contains" }, []],
      ]);
      await finds("<label>Flash <input type=checkbox data-n=1> the screen <input value=3 data-n=2> times</label>", [
        [label("Flash the screen 3 times"), ["1"]],
      ]);
    });

    it("follows aria-labelledby to hidden texts and inside of shadow trees", async () => {
      await finds("<span id=a hidden>Post code</span><input aria-labelledby='a b' data-n=1><b id=b>of birth</b>", [
        [label("Post code of birth"), ["1"]],
      ]);
      await finds(`<div>${shadow("<b id=a>Town</b><input aria-labelledby=a data-n=1>")}</div><b id=a>Other</b>`, [
        [label("Town"), ["1"]],
        [label("Other"), []],
      ]);
    });

    it("finds fields with title, placeholder, aria-label, and groups by their legend", async () => {
      await finds(
        "<fieldset data-n=g><legend>Type <i>of use</i></legend><label><input type=radio data-n=1>Home</label><input title=Other data-n=2><input placeholder=Third data-n=3></fieldset>",
        [
          [label("Home"), ["1"]],
          [label("Other"), ["2"]],
          [label("Third"), ["3"]],
          [role("group", "Type of use"), ["g"]],
          [{ ...role("radio"), within: role("group", "Type of use") }, ["1"]],
        ],
      );
      await finds("<div role=checkbox aria-label=Agree data-n=1>x</div><div role=switch data-n=2>Night mode</div>", [
        [label("Agree"), ["1"]],
        [label("Night mode"), ["2"]],
      ]);
    });
  });

  describe("texts beside a field", () => {
    it("takes a text before the field in any of the usual shapes", async () => {
      for (const html of [
        "<p>Value <input data-n=1></p>",
        "Value <input data-n=1>",
        "<p>Value: <b>*</b><br><input data-n=1></p>",
        "<p>Val<b>ue</b> <span><input data-n=1></span></p>",
        "<div>Value</div><div><input data-n=1></div>",
        "<div><div>Value</div><div class=hint>as printed</div></div><div><div><input data-n=1></div></div>",
        "<dl><dt>Value<dd><input data-n=1></dl>",
        "<table><tr><td>Value<td><input data-n=1></table>",
        "<table><tr><th>Value<tr><td><input data-n=1></table>",
        "<label></label><p>Value <select data-n=1><option>Any</select></p>",
        `<div>Value</div><div>${shadow("<input data-n=1>")}</div>`,
        `<div>${shadow("<p>Value <input data-n=1></p>")}</div>`,
        `<div>${shadow("<div>Value</div><slot></slot>")}<input data-n=1></div>`,
      ])
        await finds(html, [[label("Value"), ["1"]]]);
    });

    it("takes the text after a box to tick, and tells several fields in one line apart", async () => {
      await finds("<p><input type=checkbox data-n=1> Agree</p><p><input type=radio data-n=2> Home</p>", [
        [label("Agree"), ["1"]],
        [label("Home"), ["2"]],
      ]);
      await finds("<div><input type=checkbox data-n=1> Agree <input type=checkbox data-n=2> News</div>", [
        [label("Agree"), ["1"]],
        [label("News"), ["2"]],
      ]);
      await finds("<p>Value <input data-n=1> Size <input data-n=2></p><input data-n=3>", [
        [label("Value"), ["1"]],
        [label("Size"), ["2"]],
      ]);
      await finds("<dl><dt>Value<dd><input data-n=1><dt>Size<dd><input data-n=2></dl>", [
        [label("Value"), ["1"]],
        [label("Size"), ["2"]],
      ]);
      await finds("<table><tr><td>Value<td><input data-n=1><td>Size<td><input data-n=2></table>", [
        [label("Value"), ["1"]],
        [label("Size"), ["2"]],
      ]);
      await finds(
        "<div><div>Value</div><input data-n=1><div>Size</div><input data-n=2><div><button>Go</button></div></div>",
        [
          [label("Value"), ["1"]],
          [label("Size"), ["2"]],
        ],
      );
    });

    it("finds both fields rather than a wrong one where a text may belong to either", async () => {
      await finds("<p>Age <input data-n=1> years <input data-n=2> months</p>", [[label("years"), ["1", "2"]]]);
      await finds("<p><input data-n=1> years <input data-n=2> months</p>", [
        [label("years"), ["1"]],
        [label("months"), ["2"]],
      ]);
      await finds(
        "<table><tr><th><th>Min<th>Max<tr><th>Speed<td><input data-n=1><td><input data-n=2><tr><th>Price<td><input data-n=3><td><input data-n=4></table>",
        [
          [label("Max"), ["2", "4"]],
          [label("Speed"), ["1"]],
          [{ ...label("Min"), within: { role: "row", nth: 3 } }, ["3"]],
        ],
      );
    });

    it("does not take texts from afar", async () => {
      await finds("<main><h1>Search</h1><form><p>Post code</p><input data-n=1></form></main>", [
        [label("Search"), []],
        [label("Post code"), ["1"]],
      ]);
      await finds("<table><tr><td>Post code<td>Town<tr><td><input data-n=1><td>London</table>", [
        [label("Town"), []],
        [label("Post code"), ["1"]],
      ]);
      await finds("<p>Value <span hidden>old</span><label>Size <input data-n=1></label></p>", [[label("Value"), []]]);
    });
  });

  describe("open shadow trees", () => {
    const two = `<h2 data-n=0>Zero</h2><div id=two data-n=host>${shadow(
      "<section class=card data-n=card><h2 data-n=1>One</h2><slot></slot><table data-n=t><caption>Offers</caption><tr><th>Kind<th>Price<tr><td>A<td>1</table></section>",
    )}<h2 data-n=2>Two</h2></div><h2 data-n=3>Three</h2>`;

    it("leads css through hosts, in the order of the page", async () => {
      await finds(two, [
        [{ css: "h2" }, ["0", "1", "2", "3"]],
        [{ css: "h2", nth: 2 }, ["1"]],
        [{ css: "#two h2" }, ["1", "2"]],
        [{ css: "body > #two > .card > h2:first-child" }, ["1"]],
        [{ css: "#none h2, #two > section[class~='card'] > h2" }, ["1"]],
        [{ css: "h2 + #two h2" }, ["1", "2"]],
        [{ css: "#two ~ h2" }, ["3"]],
        [{ css: "h2", within: { css: "#two" } }, ["1", "2"]],
        [{ css: ":scope > .card", within: { css: "#two" } }, ["card"]],
        [{ css: "h2", within: { css: ".card" } }, ["1", "2"]],
        [role("heading", "One"), ["1"]],
        [{ role: "table", name: "Offers", within: { css: "#two" } }, ["t"]],
        [{ text: "One" }, ["1"]],
        [{ text: "Two", within: { css: "#two" } }, ["2"]],
      ]);
      await assert.rejects(
        ask({ kind: "conditions", named: [["it", { kind: "visible", target: target({ css: "h2[" }) }]] }),
        /not a valid selector/,
      );
    });

    it("reads texts as they are shown, tables too", async () => {
      await page.setContent(two);
      assert.equal(await read({ kind: "page" }), "Zero One Two Offers Kind Price A 1 Three");
      assert.equal(await read({ kind: "element", target: target({ css: "#two" }) }), "One Two Offers Kind Price A 1");
      const answer = await ask({
        kind: "extract",
        fields: [
          { name: "price", source: { kind: "cell", table: "offers", row: "A", column: ["Price"] }, required: true },
        ],
        tables: { offers: { title: "Two", columns: ["Price"], optional_columns: [], required: true } },
        unknownTables: "fail",
        maxLength: 1000,
      });
      assert.deepEqual(answer.status === "done" && answer.value.fields, { price: { found: "text", text: "1" } });
    });

    it("does not call a page blank whose text is in a shadow tree", async () => {
      await page.setContent(`<x-app>${shadow("<p>Sign in</p><p role=alert>Wrong password</p>")}</x-app>`);
      const answer = await ask({ kind: "focus", target: target({ css: "#none" }) });
      assert.ok(answer.status === "refused");
      assert.equal(answer.shown.text, "Sign in Wrong password");
      assert.deepEqual(answer.shown.alerts, ["Wrong password"]);
    });

    it("does not click what another shadow tree covers", async () => {
      await page.setContent(
        `<button data-n=1>Go</button><x-bar style="position:fixed;inset:0">${shadow("<p style='height:100%;margin:0'>Cookies?</p>")}</x-bar>`,
      );
      const answer = await ask({ kind: "point", target: target({ css: "button" }), dismiss: [] });
      assert.equal(answer.status === "refused" && answer.why, 'is covered by <p> "Cookies?"');
    });
  });

  describe("texts", () => {
    it("finds what is shown only, in the innermost visible element", async () => {
      await finds("<div data-n=1>abc<span hidden>def</span></div>", [
        [{ text: "abcdef" }, []],
        [{ text: "abc" }, ["1"]],
      ]);
      await finds("<div data-n=1>Open now<span hidden data-n=2>Open</span></div>", [
        [{ text: "Open" }, ["1"]],
        [{ text: "Open", hidden: true }, ["2"]],
      ]);
      await finds('<p style="display:contents" data-n=1>Free text</p>', [[{ text: "Free text" }, ["1"]]]);
    });
  });

  describe("acting", () => {
    const acts = async (html: string, task: JsonObject): Promise<unknown> => {
      await page.setContent(html);
      const answer = await ask({ target: target({ css: "[data-n]" }), dismiss: [], ...task } as unknown as PageTask);
      return answer.status === "done" ? "done" : answer.why;
    };

    it("clicks read-only fields, but does not fill them", async () => {
      for (const html of [
        "<input readonly data-n=1>",
        "<textarea readonly data-n=1></textarea>",
        "<input type=checkbox readonly data-n=1>",
        "<div role=textbox contenteditable aria-readonly=true data-n=1>x</div>",
      ])
        assert.equal(await acts(html, { kind: "point" }), "done", html);
      assert.equal(await acts("<input readonly data-n=1>", { kind: "fill", value: "x" }), "is read-only");
      assert.equal(
        await acts("<div role=textbox contenteditable aria-readonly=true data-n=1>x</div>", {
          kind: "fill",
          value: "x",
        }),
        "is read-only",
      );
    });

    it("does nothing with what is disabled, by the nearest word", async () => {
      for (const [html, wanted] of [
        ["<button disabled data-n=1>Go</button>", "is disabled"],
        ["<fieldset disabled><button data-n=1>Go</button></fieldset>", "is disabled"],
        ["<div aria-disabled=true><button data-n=1>Go</button></div>", "is disabled"],
        ["<div aria-disabled=true><button aria-disabled=false data-n=1>Go</button></div>", "done"],
        [`<div aria-disabled=true>${shadow("<button data-n=1>Go</button>")}</div>`, "is disabled"],
      ] as const)
        assert.equal(await acts(html, { kind: "point" }), wanted, html);
    });
  });
});
