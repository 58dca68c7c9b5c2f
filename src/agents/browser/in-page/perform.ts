/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import type { Finder } from "./finder.ts";
import type { PageAnswer, PageCommand, PageCondition, PageLocator, PageRecord, PageRefusal, PageResult, PageSource, PageTask, PageValue } from "./protocol.ts";
import type { ReadTable, TableReader } from "./table-reader.ts";
import type { TextTools } from "./text-tools.ts";

/**
 * Does one command as soon as it can be done, within its time.
 * Runs inside the page: its source text is sent there, so it must not use anything from outside itself.
 */
export async function perform(command: PageCommand, text: TextTools, finder: Finder, tables: TableReader): Promise<PageAnswer> {
  type Turn = PageResult | { readonly wait: string; readonly kind?: PageRefusal["kind"] };
  const deadline = performance.now() + command.timeoutMs;

  const one = (target: readonly PageLocator[]): Element | { readonly wait: string; readonly kind?: PageRefusal["kind"] } => {
    const found = finder.first(target);
    const [element] = found;
    if (element === undefined) return { wait: "is not there" };
    if (found.length === 1) return element;
    return { wait: `is there ${found.length} times: ${found.slice(0, 4).map(text.describe).join(", ")}`, kind: "unlike" };
  };

  const unusable = (element: Element): string | undefined => {
    if (element.matches(":disabled") || element.closest('[aria-disabled="true"]') !== null) return "is disabled";
    return "readOnly" in element && element.readOnly === true ? "is read-only" : undefined;
  };

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

  const receives = (element: Element, hit: Element): boolean => {
    if (element.contains(hit) || hit.getRootNode() !== element.getRootNode()) return true;
    return "labels" in element && [...((element.labels as NodeListOf<Element> | null) ?? [])].some((label) => label.contains(hit));
  };

  const point = async (element: Element, dismiss: readonly (readonly PageLocator[])[]): Promise<Turn> => {
    const problem = unusable(element);
    if (problem !== undefined) return { wait: problem, kind: "unable" };
    const moving = document.getAnimations().some(({ effect }) => effect instanceof KeyframeEffect && effect.target?.contains(element) === true);
    const before = boxOf(element);
    if (moving) await new Promise((resolve) => requestAnimationFrame(resolve));
    if (moving && boxOf(element) !== before) return { wait: "does not stand still", kind: "unable" };
    const centre = centreOf(element);
    const hit = elementAt(centre.x, centre.y);
    if (hit !== null && receives(element, hit)) return { point: centre };
    for (const locators of dismiss) {
      const [closer] = finder.first(locators);
      if (closer !== undefined && unusable(closer) === undefined) return { point: centreOf(closer), inTheWay: true };
    }
    return { wait: hit === null ? "is outside of the page" : `is covered by ${text.describe(hit)}`, kind: "unable" };
  };

  const fill = (element: Element, value: string): Turn => {
    const problem = unusable(element);
    if (problem !== undefined) return { wait: problem, kind: "unable" };
    if (element instanceof HTMLInputElement && ["date", "time", "datetime-local", "month", "week", "color", "range"].includes(element.type)) {
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set?.call(element, value);
      element.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
      element.dispatchEvent(new Event("change", { bubbles: true }));
      return element.value === value ? {} : { wait: `took "${element.value}" in place of "${value}"`, kind: "unable" };
    }
    if (!(element instanceof HTMLElement)) return { wait: "cannot be filled", kind: "unable" };
    element.focus();
    if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) element.select();
    else document.getSelection()?.selectAllChildren(element);
    // Text goes in as if typed: the page gets trusted input events, and `change` when the field loses the focus.
    if (value === "") document.execCommand("delete");
    else document.execCommand("insertText", false, value);
    const took = text.textOf(element);
    const bare = (typed: string): string => typed.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
    return took === value || bare(took) === bare(value) ? {} : { wait: `took "${took}" in place of "${value}"`, kind: "unable" };
  };

  const choosable = (element: Element): { readonly element: Element; readonly text: string }[] => {
    if (!(element instanceof HTMLSelectElement)) return [];
    return [...element.options].map((option) => {
      // Frameworks write a value that does not exist as the word.
      const placeholder = option.disabled || option.value === "" || option.value === "undefined";
      return { element: option, text: placeholder ? "" : text.clean(option.textContent) };
    });
  };

  const pickOption = (select: HTMLSelectElement, option: HTMLOptionElement): void => {
    if (select.multiple) for (const other of select.options) other.selected = false;
    option.selected = true;
    select.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    select.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const optionsOf = (target: readonly PageLocator[]): { readonly element: Element; readonly text: string }[] => {
    const found = finder.first(target);
    const [only] = found;
    if (only instanceof HTMLSelectElement && found.length === 1) return choosable(only);
    return found.map((element) => ({ element, text: text.textOf(element) }));
  };

  const holds = (condition: PageCondition): boolean => {
    switch (condition.kind) {
      case "visible":
        return finder.first(condition.target).length > 0;
      case "hidden":
        return finder.first(condition.target).length === 0;
      case "enabled":
        return finder.first(condition.target).some((element) => unusable(element) === undefined);
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

  const extract = (task: PageTask & { readonly kind: "extract" }): Turn => {
    const onPage = Object.keys(task.tables).length === 0 ? [] : tables.visibleTables();
    const problems: string[] = [];
    const fitting = new Map<string, ReadTable>();
    for (const [name, wanted] of Object.entries(task.tables)) {
      const fits = onPage.filter((table) => tables.differences(table, wanted).length === 0);
      const [table] = fits;
      if (table !== undefined) fitting.set(name, table);
      if (fits.length > 1) problems.push(`table "${name}" is there ${fits.length} times`);
      if (table === undefined && wanted.required) {
        const titled = onPage.find((own) => wanted.title !== undefined && own.titles.some((title) => tables.same(title, wanted.title ?? "")) && ![...fitting.values()].includes(own));
        problems.push(`table "${wanted.title ?? name}" is not there${titled === undefined ? "" : ` as expected: ${tables.differences(titled, wanted).join(", ")}`}`);
      }
    }
    if (task.unknownTables === "fail") {
      for (const table of onPage.filter((own) => ![...fitting.values()].includes(own))) {
        const [title = "without title"] = table.titles;
        const near = Object.values(task.tables).filter((wanted) => wanted.title === undefined || table.titles.some((own) => tables.same(own, wanted.title ?? "")));
        const why = near.map((wanted) => tables.differences(table, wanted).join(", ")).join("; or ");
        problems.push(`the page has a table that is not known, "${title}"${why === "" ? "" : `: ${why}`}`);
      }
    }
    if (problems.length > 0) return { wait: problems.join("; "), kind: "unlike" };

    const values = task.fields.map(({ name, source }) => [name, valueOf(source, fitting)] as const);
    const lacking = task.fields.flatMap(({ name, required }, i) => {
      const value = values[i]?.[1];
      return required && value?.found === "nothing" ? [`${name}: ${value.why}`] : [];
    });
    const changed = values.flatMap(([name, value]) => (value.found === "nothing" && value.why.startsWith("column ") ? [`${name}: ${value.why}`] : []));
    if (changed.length > 0) return { wait: changed.join("; "), kind: "unlike" };
    if (lacking.length > 0) return { wait: lacking.join("; "), kind: "missing" };
    return { fields: Object.fromEntries(values), shown: text.shown() };
  };

  const cellOf = (table: ReadTable, cells: readonly string[], column: PageCommandColumn): string | undefined => cells[tables.columnIndex(table, column)];
  type PageCommandColumn = Parameters<TableReader["columnIndex"]>[1];
  const columnName = (column: PageCommandColumn): string => (typeof column === "number" ? String(column) : `"${column.join(" / ")}"`);

  const valueOf = (source: PageSource, fitting: ReadonlyMap<string, ReadTable>): PageValue => {
    switch (source.kind) {
      case "page":
        return { found: "text", text: text.clean(document.body.innerText) };
      case "url":
        return { found: "text", text: location.href };
      case "title":
        return { found: "text", text: document.title };
      case "elements":
      case "element": {
        const found = finder.first(source.target);
        const read = (element: Element): string => (source.attribute === undefined ? text.textOf(element) : (element.getAttribute(source.attribute) ?? ""));
        if (source.kind === "elements") return found.length === 0 ? { found: "nothing", why: "nothing is there" } : { found: "texts", texts: found.map(read) };
        const element = one(source.target);
        return element instanceof Element ? { found: "text", text: read(element) } : { found: "nothing", why: element.wait };
      }
      case "cell": {
        const table = fitting.get(source.table);
        if (table === undefined) return { found: "nothing", why: `table "${source.table}" is not there` };
        const rows = table.rows.filter((row) => tables.same(row.name, source.row));
        const [row] = rows;
        if (row === undefined) return { found: "nothing", why: `row "${source.row}" is not there` };
        if (rows.length > 1) return { found: "nothing", why: `row "${source.row}" is there ${rows.length} times` };
        const cell = cellOf(table, row.cells, source.column);
        return cell === undefined ? { found: "nothing", why: `column ${columnName(source.column)} is not there` } : { found: "text", text: cell };
      }
      case "rows": {
        const records: PageRecord[] = [];
        for (const { table: name, columns } of source.tables) {
          const table = fitting.get(name);
          if (table === undefined) continue;
          const lost = Object.values(columns).find((column) => tables.columnIndex(table, column) === -1);
          if (lost !== undefined) return { found: "nothing", why: `column ${columnName(lost)} is not there` };
          for (const row of table.rows) {
            const cells = Object.entries(columns).map(([key, column]) => [key, cellOf(table, row.cells, column) ?? ""] as const);
            records.push({ table: name, row: row.name, cells: Object.fromEntries(cells) });
          }
        }
        return records.length === 0 ? { found: "nothing", why: "no row is there" } : { found: "rows", rows: records };
      }
    }
  };

  const turn = async (task: PageTask): Promise<Turn> => {
    switch (task.kind) {
      case "conditions": {
        const found = task.named.find(([, condition]) => holds(condition));
        return found === undefined ? { wait: "none of it is there" } : { holds: found[0] };
      }
      case "extract":
        return extract(task);
      case "options": {
        const options = optionsOf(task.target);
        return options.some((option) => option.text !== "") ? { options: options.map((option) => option.text) } : { wait: "has no options" };
      }
      case "pick": {
        const picked = optionsOf(task.target)[task.index];
        if (picked === undefined || picked.text !== task.text) return { wait: "changed while an option was chosen", kind: "unlike" };
        const select = picked.element.closest("select");
        if (select === null || !(picked.element instanceof HTMLOptionElement)) return point(picked.element, []);
        pickOption(select, picked.element);
        return {};
      }
      case "point":
      case "check":
      case "fill":
      case "select":
      case "focus": {
        const element = one(task.target);
        if (!(element instanceof Element)) return element;
        if (task.kind === "point") return point(element, task.dismiss);
        if (task.kind === "fill") return fill(element, task.value);
        if (task.kind === "focus") {
          if (element instanceof HTMLElement) element.focus();
          return {};
        }
        if (task.kind === "check") {
          const isChecked = element instanceof HTMLInputElement ? element.checked : element.getAttribute("aria-checked") === "true";
          return isChecked === task.checked ? {} : point(element, task.dismiss);
        }
        if (!(element instanceof HTMLSelectElement)) return { wait: "is not a list to select from", kind: "unlike" };
        const problem = unusable(element);
        if (problem !== undefined) return { wait: problem, kind: "unable" };
        const fits = text.matcher(task.option, "whole");
        const options = [...element.options].filter((option) => (task.by === "label" ? fits(option.label) : option.value === task.option));
        const [option] = options;
        if (option === undefined || options.length > 1) {
          const offered = [...element.options].map((own) => `"${text.clean(own.label)}"`).slice(0, 20);
          return { wait: `has ${option === undefined ? "no" : "more than one"} option "${task.option}", but ${offered.join(", ")}`, kind: "unlike" };
        }
        pickOption(element, option);
        return {};
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

  for (;;) {
    const answer = await turn(command.task);
    if (!("wait" in answer)) return { status: "done", value: answer };
    if (performance.now() >= deadline) {
      return { status: "refused", kind: answer.kind ?? "missing", why: answer.wait, shown: text.shown() };
    }
    await change();
  }
}
