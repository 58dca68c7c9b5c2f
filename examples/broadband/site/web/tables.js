import { h } from "./dom.js";

/** A row header with its help icon; the comment shows on hover. */
export function rowHeader(name) {
  const icon =
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='7' fill='none' stroke='%23567'/%3E%3Cpath d='M8 7v5M8 4v1' stroke='%23567' stroke-width='2'/%3E%3C/svg%3E";
  return h(
    "th",
    { scope: "row" },
    name,
    h(
      "span",
      { class: "CellWithComment" },
      h("img", { alt: "help", src: icon, width: 12, height: 12 }),
      h("p", { class: "CellComment" }, `What the replica knows about ${name}.`),
    ),
  );
}

/** A data row. */
export function dataRow([name, ...cells], attributes = {}, cellAttributes = () => ({})) {
  return h(
    "tr",
    { class: "info", ...attributes },
    rowHeader(name),
    ...cells.map((cell, i) => h("td", cellAttributes(i), cell)),
  );
}

/** A header row of plain column names; the first column has none. */
export function headingRow(columns) {
  return h(
    "tr",
    { class: "table-heading" },
    h("th", {}),
    ...columns.map((column) => h("th", { scope: "col" }, column)),
  );
}

/** A titled card around a table, nested as deeply as the checker's own. */
export function tableCard(title, table, attributes = {}) {
  const inside = h("div", { class: "table-responsive" }, table);
  const cases = h("div", { id: "all_cases" }, inside);
  const body = h("div", { class: "body-card" }, h("div", { class: "tab-content" }, cases));
  return h("div", { class: "card", ...attributes }, h("div", { class: "card-heading" }, h("strong", {}, title), body));
}

/** A card with a table of simple columns. */
export function simpleTable(id, title, columns, rows, tableClass = "center table") {
  const body = rows.map((row) =>
    dataRow(row, {}, (i) => ({ id: row[0] === "FTTP on Demand" && i === 3 ? "w8available" : undefined })),
  );
  return tableCard(
    title,
    h("table", { id, class: tableClass }, h("thead", {}, headingRow(columns)), h("tbody", {}, ...body)),
  );
}
