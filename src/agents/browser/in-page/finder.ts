/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import type { PageLocator } from "./protocol.ts";
import type { TextTools } from "./text-tools.ts";

/** Finding elements as a person would name them. */
export interface Finder {
  /** What the first locator that finds anything finds; nothing when none does. */
  first(locators: readonly PageLocator[]): Element[];
  /** The names by which an element may be called. */
  namesOf(element: Element): string[];
}

/** Runs inside the page: its source text is sent there, so it must not use anything from outside itself. */
export function createFinder(text: TextTools): Finder {
  const fieldSelector =
    'input:not([type="hidden"], [type="submit"], [type="button"], [type="reset"], [type="image"]), select, textarea, [contenteditable=""], [contenteditable="true"], [role="textbox"], [role="combobox"], [role="spinbutton"]';
  const typed = (...types: string[]): string => types.map((type) => `input[type="${type}"]`).join(", ");
  const roles: Readonly<Record<string, string>> = {
    alert: "",
    article: "article",
    banner: "header",
    button: `button, summary, ${typed("button", "submit", "reset", "image")}`,
    cell: "td",
    checkbox: typed("checkbox"),
    columnheader: 'th:not([scope="row"])',
    combobox: 'select:not([multiple]):not([size]), select[size="1"], input[list]',
    complementary: "aside",
    contentinfo: "footer",
    dialog: "dialog",
    form: "form",
    group: "fieldset",
    heading: "h1, h2, h3, h4, h5, h6",
    img: "img",
    link: "a[href], area[href]",
    list: "ul, ol",
    listbox: 'select[multiple], select[size]:not([size="1"])',
    listitem: "li",
    main: "main",
    navigation: "nav",
    option: "option",
    paragraph: "p",
    progressbar: "progress",
    radio: typed("radio"),
    region: "section",
    row: "tr",
    rowheader: 'th[scope="row"]',
    searchbox: typed("search"),
    slider: typed("range"),
    spinbutton: typed("number"),
    status: "output",
    table: "table",
    textbox: `input:not([type]), textarea, ${typed("text", "email", "tel", "url")}, [contenteditable=""], [contenteditable="true"]`,
  };

  /** Elements below a root, those in open shadow trees included. */
  const query = (root: ParentNode, selector: string): Element[] => {
    const found = [...root.querySelectorAll(selector)];
    for (const host of root.querySelectorAll("*")) {
      if (host.shadowRoot !== null) found.push(...query(host.shadowRoot, selector));
    }
    return found;
  };

  const isField = (element: Element): boolean => element.matches(fieldSelector);

  const textOfIds = (ids: string | null): string =>
    (ids ?? "")
      .split(/\s+/)
      .map((id) => text.clean(id === "" ? "" : document.getElementById(id)?.textContent))
      .join(" ")
      .trim();

  /** Texts beside a field that has no label element of its own: those in the widest box around it that holds no other field. */
  const textsBeside = (field: Element): string[] => {
    const texts: string[] = [];
    let box = field.parentElement;
    for (let level = 0; box !== null && box !== document.body && level < 5; level += 1, box = box.parentElement) {
      if (box.querySelectorAll(fieldSelector).length > 1) break;
      for (const element of box.querySelectorAll("*")) {
        if (element.contains(field)) continue;
        const own = text.clean(element.textContent);
        if (own !== "" && own.length <= 100) texts.push(own);
      }
    }
    return texts;
  };

  const namesOf = (element: Element): string[] => {
    const names = [textOfIds(element.getAttribute("aria-labelledby")), element.getAttribute("aria-label") ?? ""];
    if (element instanceof HTMLInputElement && ["button", "submit", "reset"].includes(element.type))
      names.push(element.value || element.type);
    else if ("labels" in element)
      names.push(
        ...[...((element.labels as NodeListOf<HTMLLabelElement> | null) ?? [])].map((label) =>
          text.clean(label.textContent),
        ),
      );
    names.push(
      element.getAttribute("alt") ?? "",
      text.clean(element.querySelector(":scope > legend, :scope > caption")?.textContent),
    );
    if (isField(element)) {
      if (!names.some((name) => name !== "")) names.push(...textsBeside(element));
      names.push(element.getAttribute("placeholder") ?? "");
    } else {
      names.push(text.textOf(element));
      const image = element.querySelector("img[alt], [aria-label]");
      if (image !== null) names.push(image.getAttribute("alt") ?? image.getAttribute("aria-label") ?? "");
    }
    names.push(element.getAttribute("title") ?? "");
    return names.filter((name) => name !== "");
  };

  const withText = (root: ParentNode, fits: (text: string) => boolean): Element[] => {
    const own = root instanceof Element ? [root] : [];
    const fitting = [...own, ...query(root, "*")].filter((element) => {
      if (["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "HEAD", "TITLE"].includes(element.tagName)) return false;
      // All text first: it is cheap and rules most elements out; what is visible of it costs a layout.
      const all =
        element instanceof HTMLInputElement && ["button", "submit", "reset"].includes(element.type)
          ? element.value
          : element.textContent;
      return fits(all) || (element.children.length > 0 && all.length < 1000 && fits(text.textOf(element)));
    });
    const holders = new Set(
      fitting.flatMap((element) => (element.parentElement === null ? [] : [element.parentElement])),
    );
    for (const holder of holders) if (holder.parentElement !== null) holders.add(holder.parentElement);
    return fitting.filter((element) => !holders.has(element as HTMLElement));
  };

  const candidates = (locator: PageLocator, root: ParentNode): Element[] => {
    const { by, value, name, match } = locator;
    if (by === "css") return query(root, value);
    if (by === "test_id") return query(root, `[data-testid="${CSS.escape(value)}"]`);
    if (by === "text") return withText(root, text.matcher(value, match ?? "contains"));
    const fits = text.matcher(by === "role" ? (name ?? "") : value, match ?? "whole");
    if (by === "placeholder")
      return query(root, "[placeholder]").filter((element) => fits(element.getAttribute("placeholder") ?? ""));
    if (by === "label") return query(root, fieldSelector).filter((element) => namesOf(element).some(fits));
    const natural = roles[value] ?? "";
    const found = [
      ...query(root, `[role="${CSS.escape(value)}"]`),
      ...(natural === "" ? [] : query(root, natural).filter((element) => !element.hasAttribute("role"))),
    ];
    return name === undefined ? found : found.filter((element) => namesOf(element).some(fits));
  };

  const all = (locator: PageLocator): Element[] => {
    const roots: readonly ParentNode[] = locator.within === undefined ? [document] : first(locator.within);
    const found = [...new Set(roots.flatMap((root) => candidates(locator, root)))].filter(
      (element) => locator.hidden === true || text.visible(element),
    );
    if (locator.nth === undefined) return found;
    const one = found[locator.nth - 1];
    return one === undefined ? [] : [one];
  };

  const first = (locators: readonly PageLocator[]): Element[] => {
    for (const locator of locators) {
      const found = all(locator);
      if (found.length > 0) return found;
    }
    return [];
  };

  return { first, namesOf };
}
