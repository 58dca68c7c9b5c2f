import { h } from "./dom.js";
import { changedResult } from "./changed-result.js";
import { copperTable, searchDetails } from "./public-result.js";
import { headingRow, rowHeader, simpleTable, tableCard } from "./tables.js";

/** The result page of the logged-in face: exchange code, ALK, one table of featured products, ONT details. */
export function totlResult(answer, prefix) {
  if (answer.display.layout === "changed") return changedResult(answer);
  const { exchangeCode, refNumber, featuredProductTable, ont, premiseEnvTable, otherOfferingTable, premiseType } =
    answer;
  const hasCopper = featuredProductTable.copper.some(([, ...cells]) => cells.some((cell) => cell !== "--"));
  const canOrderNew = featuredProductTable.fibre[0][4] !== "--" && !ont.existing;
  return h(
    "div",
    { class: "result" },
    h(
      "div",
      { class: "ExhangeCodeSetup" },
      h("span", { class: "ExhangeCodeSetupTwo" }, h("strong", {}, "Exchange Code:")),
      " ",
      h("span", {}, exchangeCode),
    ),
    h("p", { class: "alk" }, h("strong", {}, "ALK:"), " ", h("span", {}, refNumber)),
    searchDetails(answer),
    fibreTable(`${prefix}02`, answer, canOrderNew),
    hasCopper && copperTable(`${prefix}01`, featuredProductTable.copper),
    ont.row !== null && ontTable(ont.row),
    simpleTable(
      `${prefix}06`,
      "Premise Environment",
      ["Status"],
      [...premiseEnvTable, ["Recommended Minimum SVR NLP", premiseType === "Business" ? "Premium" : "Standard"]],
    ),
    simpleTable(
      `${prefix}05`,
      "Other Offerings",
      ["Availability Date"],
      [...otherOfferingTable, ["Service Availability", hasCopper ? "Enabled" : "--"]],
    ),
  );
}

function fibreTable(id, { featuredProductTable, ont, premiseType }, canOrderNew) {
  const [, downstream] = featuredProductTable.fibre[0];
  const rows = [
    ["WBC FTTP", downstream],
    ["L2SID (New ONT)", ont.l2sid],
    ["FTTP Existing ONT Available", ont.existing ? "Y" : "N"],
    ["FTTP New ONT Available", canOrderNew ? "Y" : "N"],
    ["Premise Type", premiseType],
  ];
  const head = h(
    "tr",
    { class: "table-heading" },
    h("th", {}, "Featured Products"),
    h("th", {}, "Downstream Line Rate(Mbps)"),
  );
  const body = rows.map(([name, value]) => {
    const status = name === "WBC FTTP" ? { class: downstream === "--" ? "rag-red" : "rag-green" } : {};
    return h("tr", { class: "info" }, rowHeader(name), h("td", status, value));
  });
  return tableCard(
    "Featured Products",
    h("table", { id, class: "center table" }, h("thead", {}, head), h("tbody", {}, ...body)),
  );
}

function ontTable(cells) {
  const head = headingRow(["Status", "Reference", "ONT Serial Number", "Port Service ID"]);
  const row = h("tr", { class: "info" }, h("th", { scope: "row" }, "ONT 1"), ...cells.map((cell) => h("td", {}, cell)));
  return tableCard(
    "ONT Details",
    h("table", { id: "ONT", class: "center table" }, h("thead", {}, head), h("tbody", {}, row)),
  );
}
