/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import type { Namer } from "./namer.ts";
import type { PageTree } from "./page-tree.ts";
import type { PageLocator, PageTarget } from "./protocol.ts";
import type { TextTools } from "./text-tools.ts";

/** Finding elements as a person would name them. */
export interface Finder {
  /** Returns the elements of the first locator that finds any. */
  first(locators: PageTarget): Element[];
}

/** Runs inside the page: its source text is sent there, so it must not use anything from outside itself. */
export function createFinder(tree: PageTree, text: TextTools, namer: Namer): Finder {
  const typed = (...types: string[]): string => types.map((type) => `input[type="${type}"]`).join(", ");
  const inSection = ":is(article, aside, main, nav, section)";
  const editable = '[contenteditable=""], [contenteditable="true"], [contenteditable="plaintext-only"]';
  const wordless =
    "button checkbox color date datetime-local file hidden image month number password radio range reset submit time week".split(
      " ",
    );
  const roles: Readonly<Record<string, string>> = {
    alert: "",
    article: "article",
    banner: `header:not(${inSection} header)`,
    blockquote: "blockquote",
    button: `button, summary, ${typed("button", "submit", "reset", "image")}`,
    caption: "caption",
    cell: 'td:not([role="grid"] td, [role="treegrid"] td)',
    checkbox: typed("checkbox"),
    code: "code",
    columnheader: 'th:not([scope="row"], [scope="rowgroup"])',
    combobox: `select:not([multiple], [size]), select[size="1"]:not([multiple]), input[list]:not(${typed(...wordless)})`,
    complementary: "aside",
    contentinfo: `footer:not(${inSection} footer)`,
    definition: "dd",
    dialog: "dialog",
    figure: "figure",
    form: "form",
    gridcell: ':is([role="grid"], [role="treegrid"]) td',
    group: "fieldset, details, optgroup",
    heading: "h1, h2, h3, h4, h5, h6",
    img: 'img:not([alt=""]), svg',
    link: "a[href], area[href]",
    list: "ul, ol, menu",
    listbox: 'select[multiple], select[size]:not([size="1"])',
    listitem: "li",
    main: "main",
    meter: "meter",
    navigation: "nav",
    option: "option",
    paragraph: "p",
    progressbar: "progress",
    radio: typed("radio"),
    region: "section",
    row: "tr",
    rowgroup: "thead, tbody, tfoot",
    rowheader: 'th[scope="row"], th[scope="rowgroup"]',
    search: "search",
    searchbox: typed("search"),
    separator: "hr",
    slider: typed("range"),
    spinbutton: typed("number"),
    status: "output",
    table: "table",
    term: "dt",
    textbox: `input:not(${typed("search", ...wordless)}), textarea, ${editable}`,
  };

  /** The innermost elements that show a text. */
  const withText = (root: ParentNode, fits: (text: string) => boolean, hidden: boolean): Element[] => {
    const showsIt = (element: Element): boolean => {
      if (["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "HEAD", "TITLE"].includes(element.tagName)) return false;
      if (element instanceof HTMLInputElement)
        return ["button", "submit", "reset"].includes(element.type) && fits(element.value);
      // All text first: it is cheap and rules most elements out; what is shown of it costs a layout.
      const all = element.textContent;
      if (element.children.length === 0 && tree.plain(element)) return fits(all);
      return (fits(all) || all.length < 1000) && fits(text.textOf(element));
    };
    const around = new Set<Element>();
    const found: Element[] = [];
    const own = root instanceof Element ? [root] : [];
    for (const element of [...own, ...tree.elements(root)].toReversed()) {
      if (around.has(element) || !showsIt(element) || !(hidden || text.visible(element))) continue;
      found.unshift(element);
      for (let outer = tree.parent(element); outer !== null && !around.has(outer); outer = tree.parent(outer))
        around.add(outer);
    }
    return found;
  };

  const candidates = (locator: PageLocator, root: ParentNode): Element[] => {
    const { by, value, name, match, hidden = false } = locator;
    if (by === "text") return withText(root, text.matcher(value, match ?? "contains"), hidden);
    const shown = (selector: string): Element[] =>
      selector === "" ? [] : tree.query(root, selector).filter((element) => hidden || text.visible(element));
    if (by === "css") return shown(value);
    if (by === "test_id") return shown(`[data-testid="${CSS.escape(value)}"]`);
    const fits = text.matcher(by === "role" ? (name ?? "") : value, match ?? "whole");
    if (by === "placeholder")
      return shown("[placeholder]").filter((element) => fits(element.getAttribute("placeholder") ?? ""));
    if (by === "label") return shown(namer.fieldSelector).filter((element) => namer.namesOf(element).some(fits));
    const natural = roles[value] ?? "";
    const found = shown([`[role~="${CSS.escape(value)}" i]`, ...(natural === "" ? [] : [natural])].join(", ")).filter(
      (element) => {
        // Of several roles the first counts.
        const [first = ""] = text.clean(element.getAttribute("role")).split(" ");
        if (first !== "") return first.toLowerCase() === value;
        // A text field with suggestions is a combobox, one whose list is not there is not.
        const suggests = element instanceof HTMLInputElement && element.list !== null;
        return suggests ? value === "combobox" : !(value === "combobox" && element instanceof HTMLInputElement);
      },
    );
    return name === undefined ? found : found.filter((element) => namer.namesOf(element).some(fits));
  };

  const all = (locator: PageLocator): Element[] => {
    const roots: readonly ParentNode[] = locator.within === undefined ? [document] : first(locator.within);
    const found = [...new Set(roots.flatMap((root) => candidates(locator, root)))];
    if (locator.nth === undefined) return found;
    const one = found[locator.nth - 1];
    return one === undefined ? [] : [one];
  };

  const first: Finder["first"] = (locators) => {
    for (const locator of locators) {
      const found = all(locator);
      if (found.length > 0) return found;
    }
    return [];
  };

  return { first };
}
