/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import type { Finder } from "./finder.ts";
import type { PageTree } from "./page-tree.ts";
import type { NotYet, PageTarget, PageTurn } from "./protocol.ts";
import type { TextTools } from "./text-tools.ts";

/** Doing things with the elements of a page. */
export interface Hands {
  /** The one element that is meant. */
  one(target: PageTarget): Element | NotYet;
  isDisabled(element: Element): boolean;
  /** Finds the point to click so that the element gets it. */
  point(element: Element, dismiss: readonly PageTarget[]): Promise<PageTurn>;
  /** @param isSecret - nobody is to see the value, in pictures and messages neither */
  fill(element: Element, value: string, isSecret: boolean): PageTurn;
  select(element: Element, wanted: string, by: "label" | "value"): PageTurn;
  /** Returns the options to choose from; one with an empty text must not be chosen. */
  optionsOf(target: PageTarget): readonly { readonly element: Element; readonly text: string }[];
  pickOption(select: HTMLSelectElement, option: HTMLOptionElement): void;
}

/** Runs inside the page: its source text is sent there, so it must not use anything from outside itself. */
export function createHands(tree: PageTree, text: TextTools, finder: Finder): Hands {
  const one: Hands["one"] = (target) => {
    const found = finder.first(target);
    const [element] = found;
    if (element === undefined) return { wait: "is not there" };
    if (found.length === 1) return element;
    return {
      wait: `is there ${found.length} times: ${found.slice(0, 4).map(text.describe).join(", ")}`,
      kind: "unlike",
    };
  };

  const disabled: NotYet = { wait: "is disabled", kind: "unable" };
  const isDisabled: Hands["isDisabled"] = (element) =>
    element.matches(":disabled") ||
    // The nearest word counts, as for assistive technology.
    tree.closest(element, "[aria-disabled]")?.getAttribute("aria-disabled") === "true";

  // Only what is typed into can be read-only: a click opens the calendar of a date field all the same.
  const isReadOnly = (element: Element): boolean =>
    ("readOnly" in element && element.readOnly === true) || element.getAttribute("aria-readonly") === "true";

  const boxOf = (element: Element): string => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return [x, y, width, height].join(" ");
  };

  const centreOf = (element: Element): { readonly x: number; readonly y: number } => {
    const inside = (): boolean => {
      const { top, bottom, left, right } = element.getBoundingClientRect();
      return top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth;
    };
    if (!inside()) element.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
    const { x, y, width, height } = element.getBoundingClientRect();
    return { x: x + width / 2, y: y + height / 2 };
  };

  const elementAt = (x: number, y: number): Element | null => {
    let hit = document.elementFromPoint(x, y);
    while (hit?.shadowRoot) {
      const inner = hit.shadowRoot.elementFromPoint(x, y);
      if (inner === null || inner === hit) break;
      hit = inner;
    }
    return hit;
  };

  const receives = (element: Element, hit: Element): boolean =>
    tree.contains(element, hit) || tree.labels(element).some((label) => tree.contains(label, hit));

  const point: Hands["point"] = async (element, dismiss) => {
    if (isDisabled(element)) return disabled;
    const moving = document
      .getAnimations()
      .some(
        ({ effect }) =>
          effect instanceof KeyframeEffect && effect.target !== null && tree.contains(effect.target, element),
      );
    const before = boxOf(element);
    if (moving) await new Promise((resolve) => requestAnimationFrame(resolve));
    if (moving && boxOf(element) !== before) return { wait: "does not stand still", kind: "unable" };
    const centre = centreOf(element);
    const hit = elementAt(centre.x, centre.y);
    if (hit !== null && receives(element, hit)) return { point: centre };
    for (const locators of dismiss) {
      const [closer] = finder.first(locators);
      if (closer !== undefined && !isDisabled(closer)) return { point: centreOf(closer), inTheWay: true };
    }
    return { wait: hit === null ? "is outside of the page" : `is covered by ${text.describe(hit)}`, kind: "unable" };
  };

  const fill: Hands["fill"] = (element, value, isSecret) => {
    if (isDisabled(element)) return disabled;
    if (isReadOnly(element)) return { wait: "is read-only", kind: "unable" };
    if (
      element instanceof HTMLInputElement &&
      ["date", "time", "datetime-local", "month", "week", "color", "range"].includes(element.type)
    ) {
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set?.call(element, value);
      element.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
      element.dispatchEvent(new Event("change", { bubbles: true }));
      return element.value === value ? {} : { wait: `took "${element.value}" in place of "${value}"`, kind: "unable" };
    }
    if (!(element instanceof HTMLElement)) return { wait: "cannot be filled", kind: "unable" };
    const isPassword = element instanceof HTMLInputElement && element.type === "password";
    const isField = element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement;
    if (isSecret) element.style.setProperty("-webkit-text-security", "disc", "important");
    element.focus();
    if (isField) element.select();
    else document.getSelection()?.selectAllChildren(element);
    // Text goes in as if typed: the page gets trusted input events, and `change` when the field loses the focus.
    // No other way into the browser's own editing is as short, and Chromium keeps this one.
    // oxlint-disable-next-line typescript/no-deprecated
    const edit = (command: string, words?: string): boolean => document.execCommand(command, false, words);
    edit(value === "" ? "delete" : "insertText", value);
    const took = isField ? element.value : text.textOf(element);
    const bare = (typed: string): string => typed.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
    if (took === value || bare(took) === bare(value)) return isPassword ? { isPassword } : {};
    const why =
      isSecret || isPassword ? "took something else than the secret" : `took "${took}" in place of "${value}"`;
    return { wait: why, kind: "unable" };
  };

  const pickOption: Hands["pickOption"] = (select, option) => {
    if (select.multiple) for (const other of select.options) other.selected = false;
    option.selected = true;
    select.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    select.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const optionsOf: Hands["optionsOf"] = (target) => {
    const found = finder.first(target);
    const [only] = found;
    if (!(only instanceof HTMLSelectElement) || found.length > 1)
      return found.map((element) => ({ element, text: text.textOf(element) }));
    return [...only.options].map((option) => {
      // Frameworks write a value that does not exist as the word.
      const isPlaceholder = option.disabled || option.value === "" || option.value === "undefined";
      return { element: option, text: isPlaceholder ? "" : text.clean(option.textContent) };
    });
  };

  const select: Hands["select"] = (element, wanted, by) => {
    if (!(element instanceof HTMLSelectElement)) return { wait: "is not a list to select from", kind: "unlike" };
    if (isDisabled(element)) return disabled;
    const fits = text.matcher(wanted, "whole");
    const options = [...element.options].filter((option) =>
      by === "label" ? fits(option.label) : option.value === wanted,
    );
    const [option] = options;
    if (option === undefined || options.length > 1) {
      const offered = [...element.options].map((own) => `"${text.clean(own.label)}"`).slice(0, 20);
      return {
        wait: `has ${option === undefined ? "no" : "more than one"} option "${wanted}", but ${offered.join(", ")}`,
        kind: "unlike",
      };
    }
    pickOption(element, option);
    return {};
  };

  return { one, isDisabled, point, fill, select, optionsOf, pickOption };
}
