import { h } from "./dom.js";
import { dataRow, simpleTable, tableCard } from "./tables.js";
import { changedResult } from "./changed-result.js";

/**
 * The result page of the public face: tables 01 to 07, then messages.
 *
 * @param {string} prefix AD for a look-up by address, U for one by UPRN
 */
export function publicResult(answer, prefix) {
  if (answer.display.layout === "changed") return changedResult(answer);
  const {
    featuredProductTable,
    adslTable,
    observedSpeed,
    otherOfferingTable,
    premiseEnvTable,
    exchangeTable,
    suggestedMessage,
  } = answer;
  const speeds = "Downstream Line Rate(Mbps)";
  const up = "Upstream Line Rate (Mbps)";
  return h(
    "div",
    { class: "result" },
    searchDetails(answer),
    copperTable(`${prefix}01`, featuredProductTable.copper),
    simpleTable(
      `${prefix}02`,
      "Featured Products",
      [speeds, up, "Downstream Range (Mbps)", "Availability Date", "FTTP Install Process"],
      featuredProductTable.fibre,
      "table test",
    ),
    simpleTable(`${prefix}03`, "ADSL Products", [speeds, up, "Downstream Range(Mbps)", "Availability Date"], adslTable),
    observedSpeed.length > 0 && simpleTable(`${prefix}04`, "Observed Speeds", ["VDSL"], observedSpeed),
    simpleTable(`${prefix}05`, "Other Offerings", ["Availability Date"], otherOfferingTable),
    simpleTable(`${prefix}06`, "Premise Environment", ["Status"], premiseEnvTable),
    simpleTable(`${prefix}07`, "Exchange Product Restrictions", ["Status"], exchangeTable),
    h("div", { class: "MessageMargin" }, ...suggestedMessage.map((message) => h("p", {}, message))),
  );
}

/** The sentence that names address, exchange and cabinet. */
export function searchDetails({ address, exchangeName, cabinetNumber, location }) {
  const served = cabinetNumber === null ? "" : ` is served by Cabinet ${cabinetNumber}`;
  return h(
    "div",
    { class: "searchDetails" },
    h("strong", {}, `Address ${address} on Exchange ${exchangeName}${served}`),
    location !== "" && h("strong", {}, ` Location: ${location}`),
  );
}

/** Table 01 with its header of two rows; rows without a value are there, but hidden. */
export function copperTable(id, rows) {
  const isEmpty = ([, ...cells]) => cells.every((cell) => cell === "--");
  const tall = (name) => h("th", { scope: "col", rowspan: 2 }, name);
  const wide = (name) => h("th", { scope: "colgroup", colspan: 2 }, name);
  const low = ["High", "Low", "High", "Low"].map((name) => h("th", { scope: "col" }, name));
  const head = h(
    "thead",
    {},
    h(
      "tr",
      { class: "table-heading" },
      h("th", { rowspan: 2 }),
      wide("Downstream Line Rate(Mbps)"),
      wide("Upstream Line Rate (Mbps)"),
      tall("Downstream Handback Threshold(Mbps)"),
      tall("WBC FTTC Availability Date"),
      tall("WBC SOGEA Availability Date"),
    ),
    h("tr", { class: "table-heading" }, ...low),
  );
  const body = h("tbody", {}, ...rows.map((row) => dataRow(row, { hidden: isEmpty(row) })));
  return tableCard("Featured Products", h("table", { id, class: "center table" }, head, body), {
    hidden: rows.every(isEmpty),
  });
}
