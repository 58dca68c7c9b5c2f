/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import type { Extractor } from "./extractor.ts";
import type { Finder } from "./finder.ts";
import type { Hands } from "./hands.ts";
import type { PageAnswer, PageCommand, PageCondition, PageTask, PageTurn } from "./protocol.ts";
import type { TextTools } from "./text-tools.ts";
import type { Watch } from "./watch.ts";

/**
 * Does one command as soon as it can be done, within its time.
 * Runs inside the page: its source text is sent there, so it must not use anything from outside itself.
 */
export async function perform(
  command: PageCommand,
  text: TextTools,
  finder: Finder,
  hands: Hands,
  extract: Extractor,
  watch: Watch,
): Promise<PageAnswer> {
  const { task, limitMs } = command;
  if (task.kind === "settle") {
    await watch.quiet(limitMs, task.all);
    return { status: "done", value: {} };
  }
  if (!(await watch.ready(limitMs, command.leavesAtLoad)))
    return { status: "refused", kind: "unread", why: "was still being loaded", shown: text.shown() };
  // Fields are filled one after the other; everything else waits for what filling has set off.
  if (task.kind !== "fill") await watch.quiet(limitMs, false);
  const deadline = performance.now() + command.timeoutMs;

  const holds = (condition: PageCondition): boolean => {
    switch (condition.kind) {
      case "visible":
        return finder.first(condition.target).length > 0;
      case "hidden":
        return finder.first(condition.target).length === 0;
      case "enabled":
        return finder.first(condition.target).some((element) => !hands.isDisabled(element));
      case "url":
        return new RegExp(condition.pattern, "u").test(location.href);
      case "title":
        return new RegExp(condition.pattern, "u").test(document.title);
      case "all":
        return condition.of.every(holds);
      case "any":
        return condition.of.some(holds);
      case "not":
        return !holds(condition.of);
      case "known":
        return condition.holds;
    }
  };

  const turn = async (task: Exclude<PageTask, { kind: "settle" }>): Promise<PageTurn> => {
    switch (task.kind) {
      case "conditions": {
        const found = task.named.find(([, condition]) => holds(condition));
        return found === undefined ? { wait: "none of it is there" } : { holds: found[0] };
      }
      case "extract":
        return extract(task);
      case "options": {
        const options = hands.optionsOf(task.target);
        return options.some((option) => option.text !== "")
          ? { options: options.map((option) => option.text) }
          : { wait: "has no options" };
      }
      case "pick": {
        const picked = hands.optionsOf(task.target)[task.index];
        if (picked === undefined || picked.text !== task.text)
          return { wait: "changed while an option was chosen", kind: "unlike" };
        const select = picked.element.closest("select");
        if (select === null || !(picked.element instanceof HTMLOptionElement)) return hands.point(picked.element, []);
        hands.pickOption(select, picked.element);
        return {};
      }
      case "point":
      case "check":
      case "fill":
      case "select":
      case "focus": {
        if (task.target === undefined) return {};
        const element = hands.one(task.target);
        if (!(element instanceof Element)) return element;
        if (task.kind === "point") return hands.point(element, task.dismiss);
        if (task.kind === "fill") return hands.fill(element, task.value, task.isSecret);
        if (task.kind === "focus") {
          if (element instanceof HTMLElement) element.focus();
          return {};
        }
        if (task.kind === "check") {
          const isChecked =
            element instanceof HTMLInputElement ? element.checked : element.getAttribute("aria-checked") === "true";
          return isChecked === task.checked ? {} : hands.point(element, task.dismiss);
        }
        return hands.select(element, task.option, task.by);
      }
    }
  };

  /** Until something in the page changes, or a moment passes: layout and styles change without a sign. */
  const change = (): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        observer.disconnect();
        clearTimeout(timer);
        resolve();
      };
      const observer = new MutationObserver(end);
      const timer = setTimeout(end, Math.min(100, Math.max(0, deadline - performance.now())));
      observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    });

  if (!["conditions", "extract", "options"].includes(task.kind)) watch.begin();
  for (;;) {
    const answer = await turn(task);
    if (!("wait" in answer)) return { status: "done", value: answer };
    if (performance.now() >= deadline) {
      return { status: "refused", kind: answer.kind ?? "missing", why: answer.wait, shown: text.shown() };
    }
    await change();
  }
}
