/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import type { PageTree } from "./page-tree.ts";
import type { TextTools } from "./text-tools.ts";

/** The names of a page's elements. */
export interface Namer {
  /** Form fields, for CSS. */
  readonly fieldSelector: string;
  /** The names by which an element may be called: its accessible name, and what a person reads on it or beside it. */
  namesOf(element: Element): string[];
}

/**
 * Runs inside the page: its source text is sent there, so it must not use anything from outside itself.
 *
 * @see https://www.w3.org/TR/accname-1.2/ for the accessible name
 */
export function createNamer(tree: PageTree, text: TextTools): Namer {
  const fieldSelector = [
    'input:not([type="hidden"], [type="submit"], [type="button"], [type="reset"], [type="image"])',
    'select, textarea, [contenteditable=""], [contenteditable="true"], [contenteditable="plaintext-only"]',
    ...["textbox", "combobox", "spinbutton", "searchbox", "listbox", "checkbox", "radio", "switch", "slider"].map(
      (role) => `[role="${role}"]`,
    ),
  ].join(", ");
  const namedByContent =
    /^(button|cell|checkbox|columnheader|gridcell|heading|link|menuitem|menuitemcheckbox|menuitemradio|option|radio|row|rowheader|switch|tab|tooltip|treeitem)$/;

  /** Which parts of an element a name is made of: those for assistive technology, those on the screen, or all. */
  type Parts = "accessible" | "shown" | "all";

  const left = (element: Element, parts: Parts): boolean => {
    if (["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE"].includes(element.tagName)) return true;
    if (parts === "all") return false;
    const { display, visibility } = getComputedStyle(element);
    return (
      display === "none" ||
      (visibility !== "visible" && element.children.length === 0) ||
      (parts === "accessible" && element.getAttribute("aria-hidden") === "true")
    );
  };

  /** Returns a field's value, where the field is a part of another one's label: "Flash the screen [3] times". */
  const valueOf = (element: Element): string | undefined => {
    const role = element.getAttribute("role");
    if (element instanceof HTMLSelectElement)
      return [...element.selectedOptions].map((option) => option.label).join(" ");
    if (element instanceof HTMLTextAreaElement) return element.value;
    if (element instanceof HTMLInputElement)
      return ["checkbox", "radio", "file", "password", "hidden", "image"].includes(element.type)
        ? undefined
        : element.value;
    if (role === "slider" || role === "spinbutton" || role === "progressbar")
      return element.getAttribute("aria-valuetext") ?? element.getAttribute("aria-valuenow") ?? "";
    if (role !== "combobox" && role !== "listbox") return undefined;
    const chosen = tree.query(element, '[role="option"][aria-selected="true"]');
    return chosen.map((option) => content(option, element, "accessible")).join(" ");
  };

  /** A node's name as a part of the name of another. */
  const partOf = (element: Element, named: Element, parts: Parts): string => {
    const label = parts === "shown" ? "" : text.clean(element.getAttribute("aria-label"));
    // A field's value and options are no part of its own label.
    const value = valueOf(element);
    if (value !== undefined) return value;
    if (label !== "") return label;
    const alternative = element.matches("img, area") ? text.clean(element.getAttribute("alt")) : "";
    const own = alternative === "" ? content(element, named, parts) : alternative;
    return text.clean(own) === "" ? (element.getAttribute("title") ?? "") : own;
  };

  const content = (element: Element, named: Element, parts: Parts): string => {
    const shown = parts === "all" || getComputedStyle(element).visibility === "visible";
    return tree
      .children(element)
      .map((child) => {
        if (child instanceof Text) return shown ? child.data : "";
        if (!(child instanceof Element) || child === named || left(child, parts)) return "";
        const inline = getComputedStyle(child).display === "inline" && child.tagName !== "BR";
        const part = partOf(child, named, parts);
        return inline ? part : ` ${part} `;
      })
      .join("");
  };

  const textOfIds = (element: Element): string => {
    const root = element.getRootNode() as Document | ShadowRoot;
    const ids = text.clean(element.getAttribute("aria-labelledby")).split(" ");
    return text.clean(
      ids
        .map((id) => {
          const target = id === "" ? null : root.getElementById(id);
          // A label may be hidden from the screen as a whole.
          return target === null
            ? ""
            : partOf(target, element, left(target, "accessible") || !text.visible(target) ? "all" : "accessible");
        })
        .join(" "),
    );
  };

  const buttonWords = (element: Element): string | undefined => {
    if (!(element instanceof HTMLInputElement)) return undefined;
    if (element.type === "submit" || element.type === "reset")
      return element.value || (element.type === "submit" ? "Submit" : "Reset");
    if (element.type === "button") return element.value;
    return element.type === "image" ? element.alt || element.value : undefined;
  };

  const captionOf = (element: Element): string => {
    const caption = element.querySelector(":scope > legend, :scope > caption, :scope > figcaption, :scope > title");
    if (caption === null || !element.matches("fieldset, table, figure, svg")) return "";
    return text.clean(content(caption, element, element instanceof SVGElement ? "all" : "accessible"));
  };

  const buttons = 'button, input, option, [role="button"]';
  const isInline = (element: Element): boolean =>
    element.tagName !== "BR" && getComputedStyle(element).display.startsWith("inline");

  /** Texts of neighbours: of each run of text and inline elements, and of each element that stands by itself, with what it holds. */
  const piecesOf = (nodes: readonly Node[]): string[][] => {
    const groups: string[][] = [];
    let run: Node[] = [];
    const endRun = (): void => {
      // Words of a sentence do not stand by themselves.
      const apart = run.every((node) => node instanceof Element || text.clean(node.textContent) === "");
      const elements = run.filter((node) => node instanceof Element);
      groups.push([run.map(shownIn).join(""), ...(apart ? elements.flatMap(standing) : [])]);
      run = [];
    };
    for (const node of nodes) {
      if (node instanceof Element && (left(node, "shown") || node.matches(buttons))) continue;
      if (node instanceof Text || (node instanceof Element && isInline(node))) run.push(node);
      else if (node instanceof Element) {
        endRun();
        groups.push(standing(node));
      }
    }
    endRun();
    return groups
      .map((group) => group.map(text.clean).filter((piece) => text.loose(piece) !== "" && piece.length <= 100))
      .filter((group) => group.length > 0);
  };
  const shownIn = (node: Node): string =>
    node instanceof Element ? partOf(node, node, "shown") : node instanceof Text ? node.data : "";
  const standing = (element: Element): string[] => {
    const inside = piecesOf(tree.children(element)).flat();
    return tree.query(element, buttons).length > 0 ? inside : [shownIn(element), ...inside];
  };

  const fieldsIn = (node: Node | undefined): Element[] =>
    node instanceof Element
      ? [...(node.matches(fieldSelector) ? [node] : []), ...tree.query(node, fieldSelector)].filter(text.visible)
      : [];

  /** Returns the head of a cell's column: the nearest row above that says anything there. */
  const columnHead = (cell: HTMLTableCellElement): string[] => {
    const row = cell.closest("tr");
    const table = cell.closest("table");
    if (row === null || table === null) return [];
    const placeOf = (own: HTMLTableCellElement): number =>
      [...(own.closest("tr")?.cells ?? [])].slice(0, own.cellIndex).reduce((sum, before) => sum + before.colSpan, 0);
    for (const above of [...table.rows].slice(0, row.rowIndex).toReversed()) {
      const head = [...above.cells].find((own) => placeOf(own) === placeOf(cell));
      if (head !== undefined && fieldsIn(head).length === 0 && text.textOf(head) !== "") return piecesOf([head]).flat();
    }
    return [];
  };

  /**
   * Texts beside a field that has no label of its own. Going outwards from the field, all texts count until one stands
   * before it (after it, for boxes to tick); among other fields, those between it and the next field on the side where labels stand.
   */
  const textsBeside = (field: Element): string[] => {
    const ticked = field.matches(
      '[type="checkbox"], [type="radio"], [role="checkbox"], [role="radio"], [role="switch"]',
    );
    const cell = tree.closest(field, "td, th");
    const head = (): string[] => (cell instanceof HTMLTableCellElement ? columnHead(cell) : []);
    const texts: string[] = [];
    let branch: Element = field;
    for (let level = 0; level < 6; level += 1) {
      const box = tree.parent(branch);
      if (box === null || box === document.documentElement) break;
      if (branch instanceof HTMLTableRowElement) return [...texts, ...head()];
      const nodes = tree.children(box);
      const place = nodes.indexOf(branch);
      const holders = [...nodes.keys()].filter((i) => i === place || fieldsIn(nodes[i]).length > 0);
      const at = holders.indexOf(place);
      const between = (from: number | undefined, to: number | undefined): string[][] =>
        piecesOf(nodes.slice(from === undefined ? 0 : from + 1, to));
      // Directly in the page, only what stands closest is beside the field.
      const isPage = box === document.body;
      const before = between(holders[at - 1], place)
        .slice(isPage ? -1 : 0)
        .flat();
      const after = between(place, holders[at + 1])
        .slice(0, isPage ? 1 : undefined)
        .flat();
      if (holders.length > 1) {
        // With texts on both ends nobody can tell which belongs to which: each counts for both.
        const leading = between(undefined, holders[0]).length > 0;
        const trailing = between(holders.at(-1), undefined).length > 0;
        return [...texts, ...(leading ? before : []), ...(trailing ? after : []), ...(branch === cell ? head() : [])];
      }
      texts.push(...before, ...after);
      if (isPage || ((ticked ? after : before).length > 0 && branch !== cell)) break;
      branch = box;
    }
    return texts;
  };

  const namesOf: Namer["namesOf"] = (element) => {
    const labels = tree.labels(element).map((label) => text.clean(content(label, element, "accessible")));
    const words = buttonWords(element);
    const own = [
      textOfIds(element),
      text.clean(element.getAttribute("aria-label")),
      labels.filter((label) => label !== "").join(" "),
      ...labels,
      ...tree.labels(element).map((label) => text.clean(content(label, element, "shown"))),
      words ?? "",
      element.matches("img, area, input") ? text.clean(element.getAttribute("alt")) : "",
      captionOf(element),
    ];
    if (element.matches(fieldSelector)) {
      const role = element.getAttribute("role") ?? "";
      if (namedByContent.test(role)) own.push(text.clean(content(element, element, "accessible")));
      if (!own.some((name) => name !== "")) own.push(...textsBeside(element));
      own.push(element.getAttribute("placeholder") ?? "", element.getAttribute("aria-placeholder") ?? "");
    } else if (words === undefined) {
      own.push(text.clean(content(element, element, "accessible")), text.textOf(element));
      // An icon by itself.
      const image = element.querySelector("img[alt], [aria-label]");
      if (image !== null) own.push(image.getAttribute("alt") ?? image.getAttribute("aria-label") ?? "");
    }
    own.push(element.getAttribute("title") ?? "");
    return [...new Set(own.map(text.clean))].filter((name) => name !== "");
  };

  return { fieldSelector, namesOf };
}
