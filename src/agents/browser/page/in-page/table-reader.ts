/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import type { Column, TableShape } from "../../template/table-shape.ts";
import type { PageTree } from "./page-tree.ts";
import type { TextTools } from "./text-tools.ts";

/** A table as a person reads it. */
export interface ReadTable {
  readonly titles: readonly string[];
  /** Header texts of each column from top to bottom; the first column is the rows' names. */
  readonly headers: readonly (readonly string[])[];
  readonly rows: readonly { readonly name: string; readonly cells: readonly string[] }[];
}

/** Reading the tables of a page. */
export interface TableReader {
  visibleTables(): ReadTable[];
  /** Returns the ways in which a table differs from the wanted one; none when it is the one. */
  differences(table: ReadTable, wanted: TableShape): string[];
  /** 0-based place of a column among all columns; -1 when there is none. */
  columnIndex(table: ReadTable, column: Column): number;
  same(a: string, b: string): boolean;
  /** Returns whether a table has a title; any table has none. */
  isTitled(table: ReadTable, title: string | undefined): boolean;
}

/** Runs inside the page: its source text is sent there, so it must not use anything from outside itself. */
export function createTableReader(tree: PageTree, text: TextTools): TableReader {
  // Sites write "Rate(Mbps)" here and "Rate (Mbps)" there.
  const dense = (words: string): string => words.replace(/\s+/g, "");
  const same: TableReader["same"] = (a, b) => text.matcher(dense(a), "whole")(dense(b));

  /** Cells by place, a cell that spans several places standing in each of them. */
  const gridOf = (rows: readonly HTMLTableRowElement[]): (HTMLTableCellElement | undefined)[][] => {
    const grid: (HTMLTableCellElement | undefined)[][] = rows.map(() => []);
    rows.forEach((row, top) => {
      let left = 0;
      for (const cell of row.cells) {
        while (grid[top]?.[left] !== undefined) left += 1;
        for (let y = top; y < Math.min(top + cell.rowSpan, rows.length); y += 1) {
          for (let x = left; x < left + cell.colSpan; x += 1) (grid[y] ?? [])[x] = cell;
        }
      }
    });
    return grid;
  };

  const isHeader = (row: HTMLTableRowElement): boolean =>
    row.parentElement?.tagName === "THEAD" ||
    (row.cells.length > 0 && [...row.cells].every((cell) => cell.tagName === "TH" && cell.scope !== "row"));

  /** The text that stands closest before a table, outside of other tables. */
  const textBefore = (table: Element): string => {
    for (let branch = table; ;) {
      const box = tree.parent(branch);
      if (box === null) return "";
      const nodes = tree.children(box);
      for (const node of nodes.slice(0, nodes.indexOf(branch)).toReversed()) {
        const last = lastText(node);
        const holder = last === undefined ? null : tree.parent(last);
        if (last === undefined || holder === null) continue;
        if (tree.closest(holder, "table") !== null) return "";
        return tree.contains(holder, table) ? text.clean(last.data) : text.textOf(holder);
      }
      branch = box;
    }
  };

  /** The last visible text in a node. */
  const lastText = (node: Node): Text | undefined => {
    if (node instanceof Text) {
      const holder = tree.parent(node);
      return text.clean(node.data) !== "" && holder !== null && text.visible(holder) ? node : undefined;
    }
    for (const child of node instanceof Element ? tree.children(node).toReversed() : []) {
      const last = lastText(child);
      if (last !== undefined) return last;
    }
    return undefined;
  };

  const read = (table: HTMLTableElement): ReadTable => {
    const visible = [...table.rows].filter((row) => row.closest("table") === table && text.visible(row));
    const grid = gridOf(visible);
    const firstBody = visible.findIndex((row) => !isHeader(row));
    const bodyStart = firstBody === -1 ? visible.length : firstBody;
    const width = Math.max(0, ...grid.map((row) => row.length));
    const headers = Array.from({ length: width }, (_, column) => {
      const cells = grid.slice(0, bodyStart).map((row) => row[column]);
      return cells.flatMap((cell, i) =>
        cell === undefined || cell === cells[i - 1] || text.textOf(cell) === "" ? [] : [text.textOf(cell)],
      );
    });
    const caption = table.caption === null ? "" : text.textOf(table.caption);
    return {
      titles: [caption, textBefore(table), ...headers.flat()].filter((title) => title !== ""),
      headers,
      rows: grid.slice(bodyStart).map((row) => {
        const texts = row.map((cell) => (cell === undefined ? "" : text.textOf(cell)));
        return { name: texts[0] ?? "", cells: texts };
      }),
    };
  };

  const columnIndex: TableReader["columnIndex"] = (table, column) => {
    if (typeof column === "number") return table.rows.some((row) => row.cells.length > column) ? column : -1;
    const wanted = [column].flat();
    return table.headers.findIndex(
      (header) => header.length === wanted.length && header.every((part, i) => same(part, wanted[i] ?? "")),
    );
  };

  const isTitled: TableReader["isTitled"] = (table, title) =>
    title === undefined || table.titles.some((own) => same(own, title));

  const differences: TableReader["differences"] = (table, wanted) => {
    const { title, columns, optional_columns: optional, rows } = wanted;
    if (!isTitled(table, title)) return [`it is not titled "${title}"`];
    const found = columns.map((column) => columnIndex(table, column));
    const known = new Set([...found, ...optional.map((column) => columnIndex(table, column))]);
    const missing = columns.filter((_, i) => found[i] === -1).map((column) => [column].flat().join(" / "));
    // By numbers alone nobody can tell which columns are new.
    const isNamed = columns.length > 0 && columns.every((column) => typeof column !== "number");
    const extra = table.headers.filter((header, i) => isNamed && i > 0 && header.length > 0 && !known.has(i));
    const unknown = table.rows.filter(({ name }) => rows !== undefined && !rows.some((own) => same(own, name)));
    return [
      ...missing.map((name) => `column "${name}" is missing`),
      ...extra.map((header) => `column "${header.join(" / ")}" is new`),
      ...unknown.map(({ name }) => `row "${name}" is new`),
    ];
  };

  const visibleTables: TableReader["visibleTables"] = () =>
    tree
      .query(document, "table")
      .filter((table) => table instanceof HTMLTableElement)
      .filter(text.visible)
      .map(read);
  return { visibleTables, differences, columnIndex, same, isTitled };
}
