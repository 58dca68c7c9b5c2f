import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import type { Page } from "playwright-core";
import { askPage } from "./ask-page.ts";
import { launchBrowser, type BrowserProcess } from "../chromium/browser-process.ts";
import { findChromium } from "../chromium/chromium.ts";
import { toPageLocators, type Locator } from "../template/locators.ts";
import { openTab, type Tab } from "./tab.ts";

/** A kind of field: its markup, with room for attributes, and its role. */
const kinds = {
  text: { html: "<input @>", role: "textbox" },
  filled: { html: "<input value='typed in' @>", role: "textbox" },
  email: { html: "<input type=email @>", role: "textbox" },
  odd: { html: "<input type=odd @>", role: "textbox" },
  password: { html: "<input type=password @>", role: undefined },
  search: { html: "<input type=search @>", role: "searchbox" },
  number: { html: "<input type=number value=3 @>", role: "spinbutton" },
  range: { html: "<input type=range @>", role: "slider" },
  date: { html: "<input type=date @>", role: undefined },
  suggest: { html: "<input list=d @><datalist id=d></datalist>", role: "combobox" },
  listless: { html: "<input list=none @>", role: "textbox" },
  area: { html: "<textarea @>words in it</textarea>", role: "textbox" },
  select: { html: "<select @><option>Any<option selected>Open</select>", role: "combobox" },
  list: { html: "<select multiple @><option>Any<option selected>Open</select>", role: "listbox" },
  lines: { html: "<select size=3 @><option>Any<option selected>Open</select>", role: "listbox" },
  check: { html: "<input type=checkbox @>", role: "checkbox" },
  radio: { html: "<input type=radio @>", role: "radio" },
  rich: { html: "<div contenteditable role=textbox @>rich words</div>", role: "textbox" },
  custom: { html: "<div role=combobox tabindex=0 @>Any</div>", role: "combobox" },
} as const;

/** Ways of writing the text NAME. */
const texts = {
  plain: "NAME",
  spans: "<span>NA</span><span>ME</span>",
  nested: "<b><i>NAME</i></b>",
  lines: "\n  NAME\n",
  hidden: "NAME<span hidden> hidden part</span>",
  invisible: "NAME<span style='visibility:hidden'> hidden part</span>",
  script: "NAME<script>1</script>",
  comment: "NA<!-- x -->ME",
  image: "<img alt='NAME' width=9 height=9>",
} as const;

/** How a text becomes the label of a field. */
const shapes = {
  around: (text: string, field: string) => `<label>${text} ${field}</label>`,
  after: (text: string, field: string) => `<label>${field} ${text}</label>`,
  for: (text: string, field: string, id: string) => `<label for=${id}>${text}</label><p>${field}</p>`,
  labelledby: (text: string, field: string, id: string) =>
    `<b id=l${id}>${text}</b>${field.replace("data-n", `aria-labelledby=l${id} data-n`)}`,
  aria: (_: string, field: string) => field.replace("data-n", "aria-label='NAME' data-n"),
  title: (_: string, field: string) => field.replace("data-n", "title='NAME' data-n"),
  placeholder: (_: string, field: string) => field.replace("data-n", "placeholder='NAME' data-n"),
  both: (text: string, field: string, id: string) =>
    `<label for=${id}>Other</label><b id=l${id}>${text}</b>${field.replace("data-n", `aria-labelledby=l${id} data-n`)}`,
  beside: (text: string, field: string) => `<p>${text} ${field}</p>`,
  cell: (text: string, field: string) => `<table><tr><td>${text}</td><td>${field}</td></tr></table>`,
} as const;

interface Case {
  readonly n: number;
  readonly kind: keyof typeof kinds;
  readonly text: keyof typeof texts;
  readonly shape: keyof typeof shapes;
  readonly inShadow: boolean;
  readonly name: string;
  readonly html: string;
}

/** Where ours find more than Playwright's, and why that is right; the page of templates tells users so. */
const intended = {
  beside: "a field without a label of its own is found by the texts beside it",
  pieces: "a label is what it shows: not the field's own options and words, not hidden parts, but the texts of images",
  every: "every text that a field carries counts, title and placeholder too",
} as const;

function reasonFor({ kind, text, shape }: Case, by: "label" | "role"): keyof typeof intended | undefined {
  const isDiv = kind === "rich" || kind === "custom";
  if (shape === "beside" || shape === "cell") return "beside";
  if (shape === "title" || shape === "placeholder") return "every";
  if (isDiv && ["around", "after", "for"].includes(shape)) return "beside";
  const inside = ["area", "select", "list", "lines", "check", "radio"].includes(kind) || text !== "plain";
  return by === "label" && shape !== "aria" && inside ? "pieces" : undefined;
}

/** What pages are made of besides fields; NAME is their name, or not. */
const elements = {
  button: "<button @>NAME</button>",
  labelled: "<button aria-label='NAME' @>x</button>",
  icon: "<button @><svg data-n=svg width=9 height=9><title>NAME</title></svg></button>",
  picture: "<a href=/ @><img data-n=inlink alt='NAME' width=9 height=9></a>",
  submit: "<input type=submit value='NAME' @>",
  bareSubmit: "<input type=submit @>",
  imageButton: "<input type=image alt='NAME' width=9 height=9 @>",
  fakeButton: "<div role=button tabindex=0 @>NAME</div>",
  capital: "<div role='Button' tabindex=0 @>NAME</div>",
  fallback: "<div role='switch checkbox' tabindex=0 @>NAME</div>",
  link: "<a href=/ @>NA<b>ME</b></a>",
  anchor: "<a @>NAME</a>",
  heading: "<h2 @>NAME <span hidden>hidden</span></h2>",
  spaced: "<h3 @><span>NAME</span>\n<div>more</div></h3>",
  img: "<img alt='NAME' width=9 height=9 @>",
  decoration: "<img alt='' width=9 height=9 @>",
  row: "<table data-n=rowtable><tr @><td data-n=rowcell>NAME</td></tr></table>",
  cells:
    "<table data-n=cellstable><tr data-n=cellsrow><th scope=row @>NAME</th><td data-n=other>NAME</td></tr></table>",
  table: "<table @><caption>NAME</caption><tr data-n=tablerow><td data-n=tablecell>1</td></tr></table>",
  group: "<fieldset @><legend>NAME</legend></fieldset>",
  figure: "<figure @><figcaption>NAME</figcaption></figure>",
  region: "<section aria-label='NAME' @>x</section>",
  nav: "<nav aria-label='NAME' @>x</nav>",
  header: "<article><header @>NAME</header></article>",
  item: "<ul @><li data-n=li>NAME</li></ul>",
  closed: "<details @><summary data-n=summary>Head</summary><button data-n=closed>NAME</button></details>",
  none: "<button hidden @>NAME</button>",
  clear: "<div style='visibility:hidden'><button @>NAME</button></div>",
  contents: "<div style='display:contents'><button @>NAME</button></div>",
  tab: "<div role=tablist><div role=tab @>NAME</div></div>",
  progress: "<progress aria-label='NAME' @></progress>",
  output: "<label>NAME <output @>3</output></label>",
  mute: "<button aria-hidden=true @>NAME</button>",
  nameless: "<section @>x</section>",
  tiny: "<button style='width:0;height:0;padding:0;border:0;overflow:hidden' @>NAME</button>",
  slotted:
    "<x-card><template shadowrootmode=open><button data-n=slot><slot></slot></button></template><span @>NAME</span></x-card>",
} as const;

const roles = [
  ...(["button", "link", "switch", "checkbox", "heading", "img", "row", "cell", "rowheader", "columnheader"] as const),
  ...(["table", "group", "figure", "region", "navigation", "banner", "list", "listitem", "tab"] as const),
  ...(["progressbar", "status"] as const),
];
type Role = (typeof roles)[number] | Exclude<(typeof kinds)[keyof typeof kinds]["role"], undefined>;

const inBox = (html: string, inShadow: boolean): string =>
  inShadow ? `<div><template shadowrootmode=open>${html}</template></div>` : `<div>${html}</div>`;

describe("locators beside Playwright's", () => {
  let chromium: BrowserProcess;
  let page: Page;
  let tab: Tab;
  before(async () => {
    chromium = await launchBrowser(await findChromium({}));
    page = await chromium.browser.newPage();
    tab = await openTab(page, () => {});
  });
  after(() => chromium.end());

  type Asked = { readonly locator: Locator; readonly playwright: ReturnType<Page["locator"]> };
  const byRole = (role: Role, name?: string): Asked =>
    name === undefined
      ? { locator: { role }, playwright: page.getByRole(role) }
      : { locator: { role, name, match: "exact" }, playwright: page.getByRole(role, { name, exact: true }) };
  const byLabel = (label: string): Asked => ({
    locator: { label, match: "exact" },
    playwright: page.getByLabel(label, { exact: true }),
  });

  /** The `data-n` of what our locators find and what Playwright's find. */
  async function ask(asked: readonly Asked[]): Promise<readonly { readonly ours: string; readonly theirs: string }[]> {
    const fields = asked.map(({ locator }, i) => ({
      name: String(i),
      source: { kind: "elements", target: toPageLocators(locator, {}), attribute: "data-n" } as const,
      required: false,
    }));
    const answer = await askPage(
      tab,
      { kind: "extract", fields, tables: {}, unknownTables: "ignore", maxLength: 100_000 },
      { waitMs: 0, limitMs: 30_000 },
    );
    const theirs = await Promise.all(
      asked.map(({ playwright }) =>
        playwright.evaluateAll((all) => all.map((element) => element.getAttribute("data-n") ?? "")),
      ),
    );
    return theirs.map((own, i) => {
      const value = answer.status === "done" ? answer.value.fields?.[String(i)] : undefined;
      return { ours: value?.found === "texts" ? value.texts.join() : "", theirs: own.join() };
    });
  }

  it("find every field by its label and by its name; Playwright's find the same or, for a known reason, nothing", async () => {
    const of = <T extends object>(table: T): fc.Arbitrary<keyof T> =>
      fc.constantFrom(...(Object.keys(table) as (keyof T)[]));
    const shape = { kind: of(kinds), text: of(texts), shape: of(shapes), inShadow: fc.boolean() };
    const cases = fc.sample(fc.record(shape), { numRuns: 240, seed: 9 }).map((one, n): Case => {
      const [first, last] = [`Field ${n}`, " x"];
      const field = kinds[one.kind].html.replace("@", `id=f${n} data-n=${n}`);
      const inside = shapes[one.shape](texts[one.text], field, `f${n}`)
        .replaceAll("NAME", first + last)
        .replaceAll("NA", first)
        .replaceAll("ME", last);
      return { ...one, n, name: first + last, html: inBox(inside, one.inShadow) };
    });
    const used = new Set<string>();
    for (let from = 0; from < cases.length; from += 40) {
      const some = cases.slice(from, from + 40);
      const asked = some.flatMap((one) => {
        const { role } = kinds[one.kind];
        const label = { one, by: "label", ...byLabel(one.name) } as const;
        return role === undefined ? [label] : [label, { one, by: "role", ...byRole(role, one.name) } as const];
      });
      await page.setContent(some.map(({ html }) => html).join("\n"));
      for (const [i, { ours, theirs }] of (await ask(asked)).entries()) {
        const { one, by, locator } = asked[i] ?? assert.fail();
        const words = `${JSON.stringify(locator)} in ${one.html}`;
        assert.equal(ours, String(one.n), words);
        if (theirs === ours) continue;
        assert.equal(theirs, "", words);
        used.add(reasonFor(one, by) ?? assert.fail(`Playwright does not find ${words}`));
      }
    }
    assert.deepEqual([...used].toSorted(), Object.keys(intended).toSorted());
  });

  it("find what else there is by role, as Playwright's do", async () => {
    const name = "Post code";
    // The page of templates tells users of each: a summary acts as a button; a section counts without a name; what an
    // element shows is a name of it, whatever its role; what is seen counts, though it be hidden from screen readers, and
    // what is not seen does not.
    const differences: Readonly<Record<string, { readonly more: string[]; readonly fewer: string[] }>> = {
      button: { more: ["summary", "mute"], fewer: ["tiny"] },
      "button Post code exact": { more: ["mute"], fewer: ["tiny"] },
      region: { more: ["nameless"], fewer: [] },
      "table Post code exact": { more: ["rowtable"], fewer: [] },
      "list Post code exact": { more: ["item"], fewer: [] },
      "listitem Post code exact": { more: ["li"], fewer: [] },
    };
    for (const inShadow of [false, true]) {
      const html = Object.entries(elements).map(([key, element]) => {
        const inside = element.replaceAll("@", `data-n=${key}`).replaceAll("NAME", name);
        return inBox(inside.replace("NA", "Post ").replace("ME", "code"), inShadow);
      });
      await page.setContent(html.join("\n"));
      const asked = roles.flatMap((role) => [byRole(role), byRole(role, name)]);
      for (const [i, { ours, theirs }] of (await ask(asked)).entries()) {
        const of = (keys: string): string[] => keys.split(",").filter((key) => key !== "");
        const more = of(ours).filter((key) => !of(theirs).includes(key));
        const fewer = of(theirs).filter((key) => !of(ours).includes(key));
        const wanted = differences[Object.values(asked[i]?.locator ?? {}).join(" ")] ?? { more: [], fewer: [] };
        assert.deepEqual({ more, fewer }, wanted, JSON.stringify(asked[i]?.locator));
      }
    }
  });
});
