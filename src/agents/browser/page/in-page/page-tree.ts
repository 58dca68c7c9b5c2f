/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/** The page as it is shown: open shadow trees stand in their hosts, and what is slotted stands in its slot. */
export interface PageTree {
  /** Returns the nodes that a node shows inside of itself, in order. */
  children(node: Node): readonly Node[];
  parent(node: Node): Element | null;
  /** A node is inside of an element, or is it. */
  contains(element: Element, node: Node): boolean;
  /** The nearest of an element and those around it that fits a selector. */
  closest(element: Element, selector: string): Element | null;
  /** All elements below a root, in the order of the page. */
  elements(root: ParentNode): readonly Element[];
  /** Elements below a root by CSS; a selector may lead through the hosts of open shadow trees. */
  query(root: ParentNode, selector: string): Element[];
  /** Nothing below an element is in a shadow tree or a slot. */
  plain(element: Element): boolean;
  /** The labels that are tied to a form field. */
  labels(element: Element): readonly Element[];
}

/** Runs inside the page: its source text is sent there, so it must not use anything from outside itself. */
export function createPageTree(): PageTree {
  const hostsBelow = (root: ParentNode): Element[] =>
    [...root.querySelectorAll("*")].flatMap((element) =>
      element.shadowRoot === null ? [] : [element, ...hostsBelow(element.shadowRoot)],
    );

  // The page cannot change before this script lets go of it, so the hosts are looked for once until then.
  let known: readonly Element[] | undefined;
  const hosts = (): readonly Element[] => {
    if (known === undefined) {
      known = hostsBelow(document);
      queueMicrotask(() => (known = undefined));
    }
    return known;
  };

  const children: PageTree["children"] = (node) => {
    if (node instanceof Element && node.shadowRoot !== null) return [...node.shadowRoot.childNodes];
    const assigned = node instanceof HTMLSlotElement ? node.assignedNodes() : [];
    return assigned.length > 0 ? assigned : [...node.childNodes];
  };

  /** The parent as selectors see it. */
  const above = (node: Node): Element | null =>
    node.parentElement ?? (node.parentNode instanceof ShadowRoot ? node.parentNode.host : null);
  const parent: PageTree["parent"] = (node) =>
    (node instanceof Element || node instanceof Text ? node.assignedSlot : null) ?? above(node);

  const contains: PageTree["contains"] = (element, node) => {
    for (let inner: Node | null = node; inner !== null; inner = parent(inner)) if (inner === element) return true;
    return false;
  };

  const closest: PageTree["closest"] = (element, selector) => {
    for (let own: Element | null = element; own !== null; own = parent(own)) if (own.matches(selector)) return own;
    return null;
  };

  const plain: PageTree["plain"] = (element) =>
    hosts().length === 0 ||
    (!(element instanceof HTMLSlotElement) &&
      element.querySelector("slot") === null &&
      !hosts().some((host) => element.contains(host)));

  const elements: PageTree["elements"] = (root) => {
    if (hosts().length === 0) return [...root.querySelectorAll("*")];
    const found = new Set<Element>();
    const visit = (node: Node): void => {
      // What a host holds without a slot for it is not shown, and comes last.
      const unslotted = node instanceof Element && node.shadowRoot !== null ? node.children : [];
      for (const child of [...children(node), ...unslotted]) {
        if (!(child instanceof Element) || found.has(child)) continue;
        found.add(child);
        visit(child);
      }
    };
    visit(root);
    return [...found];
  };

  const labels: PageTree["labels"] = (element) =>
    "labels" in element ? [...((element.labels as NodeListOf<Element> | null) ?? [])] : [];

  /** The selectors of a list, each as compounds with combinators between them. */
  const partsOf = (selector: string): string[][] => {
    const list: string[][] = [[""]];
    let depth = 0;
    let quote = "";
    for (const [token] of selector.matchAll(/\\[0-9a-f]{1,6}\s?|\\[^]|\s*[>+~,]\s*|\s+|[^]/gi)) {
      const parts = list.at(-1) ?? [];
      const nested = quote !== "" || depth > 0;
      if (token === quote) quote = "";
      else if (quote === "" && (token === '"' || token === "'")) quote = token;
      else if (quote === "" && (token === "(" || token === "[")) depth += 1;
      else if (quote === "" && (token === ")" || token === "]")) depth -= 1;
      if (nested || !/^\s*[>+~,]\s*$|^\s+$/.test(token)) parts.push((parts.pop() ?? "") + token);
      else if (token.trim() === ",") list.push([""]);
      else parts.push(token.trim(), "");
    }
    return list;
  };

  const query: PageTree["query"] = (root, selector) => {
    if (hosts().length === 0) return [...root.querySelectorAll(selector)];
    // Says so when it is not a selector.
    document.createDocumentFragment().querySelector(selector);
    const fits = (element: Element | null, parts: readonly string[]): boolean => {
      if (element === null) return false;
      const compound = parts.at(-1) ?? "";
      const bare = compound.replace(/^:scope/, "");
      if (bare !== compound && element !== (root instanceof Document ? root.documentElement : root)) return false;
      if (bare !== "" && !element.matches(bare)) return false;
      const combinator = parts.at(-2);
      if (combinator === undefined) return true;
      const before = parts.slice(0, -2);
      if (combinator === ">") return fits(above(element), before);
      if (combinator === "+") return fits(element.previousElementSibling, before);
      for (
        let next = combinator === "~" ? element.previousElementSibling : above(element);
        next !== null;
        next = combinator === "~" ? next.previousElementSibling : above(next)
      )
        if (fits(next, before)) return true;
      return false;
    };
    const list = partsOf(selector.trim());
    return elements(root).filter(
      (element) => element.matches(selector) || list.some((parts) => parts.length > 1 && fits(element, parts)),
    );
  };

  return { children, parent, contains, closest, elements, query, plain, labels };
}
