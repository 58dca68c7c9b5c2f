import { h } from "./dom.js";

/** The same facts after a redesign: other sentence, classes, titles, names and column order. */
export function changedResult({ address, exchangeName, cabinetNumber, featuredProductTable }) {
  const rows = featuredProductTable.copper.map(([name, downHigh, downLow, upHigh, upLow]) => [
    name.replace("VDSL Range", "FTTC line"),
    upLow,
    upHigh,
    downLow,
    downHigh,
  ]);
  return h(
    "div",
    { class: "outcome" },
    h(
      "div",
      { class: "summary" },
      h("p", {}, `Results for ${address}`),
      h("p", {}, `Served from ${exchangeName}, street box ${cabinetNumber ?? "none"}`),
    ),
    h(
      "table",
      { class: "offers table" },
      h(
        "tr",
        {},
        ...["What you can have", "Up, from", "Up, to", "Down, from", "Down, to"].map((name) => h("td", {}, name)),
      ),
      ...rows.map((row) => h("tr", {}, ...row.map((cell) => h("td", {}, cell)))),
    ),
  );
}
