/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import type { Column } from "../../template/table-shape.ts";
import type { Finder } from "./finder.ts";
import type { Hands } from "./hands.ts";
import type { PageRecord, PageSource, PageTask, PageTurn, PageValue } from "./protocol.ts";
import type { ReadTable, TableReader } from "./table-reader.ts";
import type { TextTools } from "./text-tools.ts";

/** Reads all fields of an extract step, or says what is not as it should be. */
export type Extractor = (task: PageTask & { readonly kind: "extract" }) => PageTurn;

/** Runs inside the page: its source text is sent there, so it must not use anything from outside itself. */
export function createExtractor(text: TextTools, finder: Finder, tables: TableReader, hands: Hands): Extractor {
  const extract: Extractor = (task) => {
    const onPage = Object.keys(task.tables).length === 0 ? [] : tables.visibleTables();
    const problems: string[] = [];
    const fitting = new Map<string, ReadTable>();
    const isKnown = (table: ReadTable): boolean => [...fitting.values()].includes(table);
    for (const [name, wanted] of Object.entries(task.tables)) {
      const fits = onPage.filter((table) => tables.differences(table, wanted).length === 0);
      const [table] = fits;
      if (table !== undefined) fitting.set(name, table);
      if (fits.length > 1) problems.push(`table "${name}" is there ${fits.length} times`);
      if (table !== undefined || !wanted.required) continue;
      const { title } = wanted;
      const titled = onPage.find((own) => title !== undefined && tables.isTitled(own, title) && !isKnown(own));
      const why = titled === undefined ? "" : ` as expected: ${tables.differences(titled, wanted).join(", ")}`;
      problems.push(`table "${title ?? name}" is not there${why}`);
    }
    for (const table of task.unknownTables === "fail" ? onPage.filter((own) => !isKnown(own)) : []) {
      const [title = "without title"] = table.titles;
      const near = Object.values(task.tables).filter((wanted) => tables.isTitled(table, wanted.title));
      const why = near.map((wanted) => tables.differences(table, wanted).join(", ")).join("; or ");
      problems.push(`the page has a table that is not known, "${title}"${why === "" ? "" : `: ${why}`}`);
    }
    if (problems.length > 0) return { wait: problems.join("; "), kind: "unlike" };

    const values = task.fields.map(
      ({ name, source }) => [name, limited(valueOf(source, fitting), task.maxLength)] as const,
    );
    const lacking = task.fields.flatMap(({ name, required }, i) => {
      const value = values[i]?.[1];
      return required && value?.found === "nothing" ? [`${name}: ${value.why}`] : [];
    });
    const changed = values.flatMap(([name, value]) =>
      value.found === "nothing" && value.why.startsWith("column ") ? [`${name}: ${value.why}`] : [],
    );
    if (changed.length > 0) return { wait: changed.join("; "), kind: "unlike" };
    if (lacking.length > 0) return { wait: lacking.join("; "), kind: "missing" };
    return { fields: Object.fromEntries(values), shown: text.shown() };
  };

  const limited = (value: PageValue, maxLength: number): PageValue => {
    const texts =
      value.found === "text"
        ? [value.text]
        : value.found === "texts"
          ? value.texts
          : value.found === "rows"
            ? value.rows.flatMap(({ row, cells }) => [row, ...Object.values(cells)])
            : [];
    const length = texts.reduce((sum, one) => sum + one.length, 0);
    return length > maxLength ? { found: "too much", length } : value;
  };

  const cellOf = (table: ReadTable, cells: readonly string[], column: Column): string | undefined =>
    cells[tables.columnIndex(table, column)];
  const columnName = (column: Column): string =>
    typeof column === "number" ? String(column) : `"${[column].flat().join(" / ")}"`;

  const valueOf = (source: PageSource, fitting: ReadonlyMap<string, ReadTable>): PageValue => {
    switch (source.kind) {
      case "page":
        return { found: "text", text: text.pageText() };
      case "url":
        return { found: "text", text: location.href };
      case "title":
        return { found: "text", text: document.title };
      case "elements":
      case "element": {
        const found = finder.first(source.target);
        const read = (element: Element): string =>
          source.attribute === undefined ? text.textOf(element) : (element.getAttribute(source.attribute) ?? "");
        if (source.kind === "elements")
          return found.length === 0
            ? { found: "nothing", why: "nothing is there" }
            : { found: "texts", texts: found.map(read) };
        const element = hands.one(source.target);
        return element instanceof Element
          ? { found: "text", text: read(element) }
          : { found: "nothing", why: element.wait };
      }
      case "cell": {
        const table = fitting.get(source.table);
        if (table === undefined) return { found: "nothing", why: `table "${source.table}" is not there` };
        const rows = table.rows.filter((row) => tables.same(row.name, source.row));
        const [row] = rows;
        if (row === undefined) return { found: "nothing", why: `row "${source.row}" is not there` };
        if (rows.length > 1) return { found: "nothing", why: `row "${source.row}" is there ${rows.length} times` };
        const cell = cellOf(table, row.cells, source.column);
        return cell === undefined
          ? { found: "nothing", why: `column ${columnName(source.column)} is not there` }
          : { found: "text", text: cell };
      }
      case "rows": {
        const records: PageRecord[] = [];
        for (const { table: name, columns } of source.tables) {
          const table = fitting.get(name);
          if (table === undefined) continue;
          const lost = Object.values(columns).find((column) => tables.columnIndex(table, column) === -1);
          if (lost !== undefined) return { found: "nothing", why: `column ${columnName(lost)} is not there` };
          for (const row of table.rows) {
            const cells = Object.entries(columns).map(
              ([key, column]) => [key, cellOf(table, row.cells, column) ?? ""] as const,
            );
            records.push({ table: name, row: row.name, cells: Object.fromEntries(cells) });
          }
        }
        return records.length === 0 ? { found: "nothing", why: "no row is there" } : { found: "rows", rows: records };
      }
    }
  };

  return extract;
}
