/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import type { PageShown, TextMatch } from "./protocol.ts";

/** Reading and comparing what a page shows. */
export interface TextTools {
  clean(text: string | null | undefined): string;
  textOf(element: Element): string;
  matcher(value: string, match: TextMatch): (text: string) => boolean;
  visible(element: Element): boolean;
  /** An element in a few words, for messages. */
  describe(element: Element): string;
  shown(): PageShown;
}

/** Runs inside the page: its source text is sent there, so it must not use anything from outside itself. */
export function textTools(): TextTools {
  const clean = (text: string | null | undefined): string => (text ?? "").replace(/\s+/g, " ").trim();
  const loose = (text: string): string =>
    clean(text)
      .replace(/^[\s*]+|[\s*:]+$/g, "")
      .toLowerCase();
  const short = (text: string, limit: number): string => (text.length > limit ? `${text.slice(0, limit - 1)}…` : text);

  const textOf = (element: Element): string => {
    if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) return element.value;
    if (element instanceof HTMLSelectElement) return clean(element.selectedOptions[0]?.textContent);
    return clean(
      element instanceof HTMLElement && !(element instanceof HTMLOptionElement)
        ? element.innerText
        : element.textContent,
    );
  };

  const matcher = (value: string, match: TextMatch): ((text: string) => boolean) => {
    if (match === "regex") {
      const pattern = new RegExp(value, "iu");
      return (text) => pattern.test(clean(text));
    }
    if (match === "exact") return (text) => clean(text) === clean(value);
    const wanted = match === "whole" ? loose(value) : clean(value).toLowerCase();
    return match === "whole" ? (text) => loose(text) === wanted : (text) => clean(text).toLowerCase().includes(wanted);
  };

  const visible = (element: Element): boolean => {
    // The options of a closed list have no box of their own.
    const subject = element instanceof HTMLOptionElement ? (element.closest("select") ?? element) : element;
    if (!subject.checkVisibility({ visibilityProperty: true })) return false;
    const { width, height } = subject.getBoundingClientRect();
    return (
      (width > 0 && height > 0) ||
      [...subject.children].some((child) => child.getBoundingClientRect().height > 0 && visible(child))
    );
  };

  const describe = (element: Element): string => {
    const id = element.id === "" ? "" : `#${element.id}`;
    const words = short(textOf(element), 60);
    return `<${element.tagName.toLowerCase()}${id}>${words === "" ? "" : ` "${words}"`}`;
  };

  const shown = (): PageShown => {
    const marked = [
      ...document.querySelectorAll(
        '[role="alert"], [aria-live="assertive"], [class*="error" i], [class*="invalid-feedback" i]',
      ),
    ];
    const alerts = marked.filter(visible).map((element) => short(textOf(element), 300));
    return {
      url: location.href,
      title: document.title,
      alerts: [...new Set(alerts.filter((text) => text !== ""))].slice(0, 3),
      text: short(clean(document.body === null ? "" : document.body.innerText), 300),
    };
  };

  return { clean, textOf, matcher, visible, describe, shown };
}
