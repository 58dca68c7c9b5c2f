/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import type { PageTree } from "./page-tree.ts";
import type { PageShown, TextMatch } from "./protocol.ts";

/** Reading and comparing what a page shows. */
export interface TextTools {
  clean(text: string | null | undefined): string;
  textOf(element: Element): string;
  matcher(value: string, match: TextMatch): (text: string) => boolean;
  /** The text without case, spaces, and a `*` or `:` at its end; empty when it says nothing. */
  loose(text: string): string;
  visible(element: Element): boolean;
  /** An element in a few words, for messages. */
  describe(element: Element): string;
  /** All text that the page shows. */
  pageText(): string;
  shown(): PageShown;
}

/** Runs inside the page: its source text is sent there, so it must not use anything from outside itself. */
export function createTextTools(tree: PageTree): TextTools {
  const clean: TextTools["clean"] = (text) => (text ?? "").replace(/\s+/g, " ").trim();
  const loose: TextTools["loose"] = (text) =>
    clean(text)
      .replace(/^[\s*]+|(?<![\s*:])[\s*:]+$/g, "")
      .toLowerCase();
  const short = (text: string, limit: number): string => (text.length > limit ? `${text.slice(0, limit - 1)}…` : text);

  /** As `innerText`, which knows neither shadow trees nor slots; runs of spaces mean one. */
  const shownText = (element: Element): string => {
    if (!(element instanceof HTMLElement) || element instanceof HTMLOptionElement) return element.textContent;
    if (tree.plain(element)) return element.innerText;
    const { visibility, textTransform } = getComputedStyle(element);
    return tree
      .children(element)
      .map((child) => {
        if (child instanceof Text) {
          if (visibility !== "visible") return "";
          if (textTransform === "uppercase") return child.data.toUpperCase();
          return textTransform === "lowercase" ? child.data.toLowerCase() : child.data;
        }
        if (!(child instanceof Element)) return "";
        const { display } = getComputedStyle(child);
        if (display === "none") return "";
        const inline = /^(inline|contents|ruby)/.test(display) && child.tagName !== "BR";
        return inline ? shownText(child) : ` ${shownText(child)} `;
      })
      .join("");
  };

  const textOf: TextTools["textOf"] = (element) => {
    if (element instanceof HTMLInputElement && element.type === "password") return element.value === "" ? "" : "***";
    if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) return element.value;
    if (element instanceof HTMLSelectElement) return clean(element.selectedOptions[0]?.textContent);
    return clean(shownText(element));
  };

  const matcher: TextTools["matcher"] = (value, match) => {
    if (match === "regex") {
      const pattern = new RegExp(value, "iu");
      return (text) => pattern.test(clean(text));
    }
    if (match === "exact") return (text) => clean(text) === clean(value);
    const wanted = match === "whole" ? loose(value) : clean(value).toLowerCase();
    return match === "whole" ? (text) => loose(text) === wanted : (text) => clean(text).toLowerCase().includes(wanted);
  };

  const hasArea = ({ width, height }: DOMRect): boolean => width > 0 && height > 0;

  /** A text that has a place on the page. */
  const placed = (node: Node): boolean => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return [...range.getClientRects()].some(hasArea);
  };

  const visible: TextTools["visible"] = (element) => {
    // The options of a closed list have no box of their own.
    const subject = element instanceof HTMLOptionElement ? (element.closest("select") ?? element) : element;
    if (!subject.checkVisibility({ visibilityProperty: true })) {
      const { display, visibility } = getComputedStyle(subject);
      return (
        display === "contents" &&
        tree
          .children(subject)
          .some((child) =>
            child instanceof Element
              ? visible(child)
              : child instanceof Text && visibility === "visible" && placed(child),
          )
      );
    }
    return (
      hasArea(subject.getBoundingClientRect()) ||
      tree
        .children(subject)
        .some((child) => child instanceof Element && child.getBoundingClientRect().height > 0 && visible(child))
    );
  };

  const describe: TextTools["describe"] = (element) => {
    const id = element.id === "" ? "" : `#${element.id}`;
    const words = short(textOf(element), 60);
    return `<${element.tagName.toLowerCase()}${id}>${words === "" ? "" : ` "${words}"`}`;
  };

  // A frameset has no body, and a page that has just begun has none yet.
  const pageText: TextTools["pageText"] = () =>
    (document.body as HTMLElement | null) === null ? "" : textOf(document.body);

  const shown: TextTools["shown"] = () => {
    const marked = tree.query(
      document,
      '[role="alert"], [aria-live="assertive"], [class*="error" i], [class*="invalid-feedback" i]',
    );
    const alerts = marked.filter(visible).map((element) => short(textOf(element), 300));
    return {
      url: location.href,
      title: document.title,
      alerts: [...new Set(alerts.filter((text) => text !== ""))].slice(0, 3),
      text: short(pageText(), 300),
    };
  };

  return { clean, textOf, matcher, loose, visible, describe, pageText, shown };
}
