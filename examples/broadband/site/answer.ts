import { exchangeCodeOf, linesOf, type AdslProduct, type CopperRange, type Premises } from "./data.ts";

const nothing = "--";

/** A table as the page prints it: row name, then cells in column order. */
export type TableRows = readonly (readonly [name: string, ...cells: string[]])[];

/** One entry of the suggested list. */
export interface Suggestion {
  readonly refNumber: string;
  readonly text: string;
  readonly location: string;
}

/** What the checker says about one home; the page only lays it out. */
export interface ResultAnswer {
  readonly errorId: 0;
  readonly addressMismatch: false;
  readonly address: string;
  readonly location: string;
  readonly refNumber: string;
  readonly exchangeName: string;
  readonly exchangeCode: string;
  readonly cabinetNumber: number | null;
  readonly featuredProductTable: { readonly copper: TableRows; readonly fibre: TableRows };
  readonly adslTable: TableRows;
  readonly observedSpeed: TableRows;
  readonly otherOfferingTable: TableRows;
  readonly premiseEnvTable: TableRows;
  readonly exchangeTable: TableRows;
  readonly ont: { readonly l2sid: string; readonly existing: boolean; readonly row: readonly string[] | null };
  readonly premiseType: string;
  readonly suggestedMessage: readonly string[];
}

/** The answer about one home. */
export function resultAnswer(premises: Premises): ResultAnswer {
  const lines = linesOf(premises);
  const hasCopper = lines.vdslA !== undefined || lines.vdslB !== undefined;
  const { ont, observed } = { ont: premises.ont, observed: lines.observed?.vdsl };
  return {
    errorId: 0,
    addressMismatch: false,
    address: addressParts(premises).join(", "),
    location: premises.location ?? "",
    refNumber: premises.ref,
    exchangeName: premises.exchange,
    exchangeCode: exchangeCodeOf(premises),
    cabinetNumber: premises.cabinet,
    featuredProductTable: {
      copper: [
        copperRow("VDSL Range A (Clean)", lines.vdslA),
        copperRow("VDSL Range B (Impacted)", lines.vdslB),
        copperRow("G.fast Range A (Clean)", lines.gfastA),
        copperRow("G.fast Range B (Impacted)", lines.gfastB),
      ],
      fibre: [
        lines.fttp === undefined
          ? ["WBC FTTP", nothing, nothing, nothing, nothing, nothing]
          : ["WBC FTTP", upTo(lines.fttp.down), upTo(lines.fttp.up), nothing, lines.fttp.date, lines.fttp.install],
        ["FTTP on Demand", nothing, nothing, nothing, nothing, nothing],
      ],
    },
    adslTable: [
      adslRow("WBC ADSL 2+", lines.adsl2plus),
      adslRow("WBC ADSL2+ Annex M", lines.adslAnnexM),
      adslRow("ADSL Max", lines.adslMax),
      adslRow("WBC Fixed Rate", undefined),
      adslRow("Fixed Rate", undefined),
      adslRow("BET", undefined),
    ],
    observedSpeed:
      observed === undefined
        ? []
        : [
            ["Max Observed Downstream Speed", String(observed.down)],
            ["Max Observed Upstream Speed", String(observed.up)],
            ["Observed Date", observed.date],
          ],
    otherOfferingTable: [
      ["VDSL Multicast", hasCopper ? "Available" : nothing],
      ["ADSL Multicast", lines.adsl2plus === undefined ? nothing : "Available"],
      ["G.Fast Multicast", lines.gfastA === undefined ? nothing : "Available"],
    ],
    premiseEnvTable: [
      ["Bridge Tap", hasCopper ? "N" : "U"],
      ["VRI", "N"],
      ["NTE FacePlate", hasCopper ? "Y" : "N"],
      ["Last Test Date", nothing],
    ],
    exchangeTable: [
      ["FTTP Priority Exchange", lines.fttp === undefined ? "N" : "Y"],
      ["WLR Withdrawal", "Y"],
      ["SOADSL Restriction", "N"],
    ],
    ont: {
      l2sid: ont?.l2sid ?? (lines.fttp === undefined ? nothing : "BAAMUH"),
      existing: ont !== undefined,
      row: ont === undefined ? null : ["Working", ont.reference, ont.serial, ont.service],
    },
    premiseType: premises.business === true ? "Business" : "Residential",
    suggestedMessage: premises.messages ?? [],
  };
}

/** The entry of a home in the suggested list; its text ends in district, reference, location and organisation. */
export function suggestion(premises: Premises): Suggestion {
  const { district, ref, location = "", organisation = "" } = premises;
  const tail = [premises.postcode, district ?? "XX", ref, location, organisation];
  return {
    refNumber: ref,
    text: [...addressParts(premises), ...tail].filter((part) => part !== "").join(", "),
    location,
  };
}

function addressParts(premises: Premises): string[] {
  const numbered = [premises.number ?? "", premises.street].filter((part) => part !== "").join(" ");
  return [premises.sub ?? "", premises.name ?? "", numbered, premises.locality ?? "", premises.town]
    .filter((part) => part !== "")
    .map(titleCase);
}

/** Words get a capital; words with digits, such as 45A, stay upper case. */
function titleCase(text: string): string {
  return text.replaceAll(/\S+/g, (word) =>
    /\d/.test(word) ? word.toUpperCase() : word.charAt(0).toUpperCase() + word.slice(1).toLowerCase(),
  );
}

function copperRow(name: string, range: CopperRange | undefined): [string, ...string[]] {
  if (range === undefined) return [name, nothing, nothing, nothing, nothing, nothing, nothing, nothing];
  return [name, ...[...range.down, ...range.up, range.handback].map(String), range.fttc, range.sogea];
}

function adslRow(name: string, product: AdslProduct | undefined): [string, ...string[]] {
  const { down = null, up = null, range = null, date = null } = product ?? {};
  return [
    name,
    down === null ? nothing : upTo(down),
    up === null ? nothing : upTo(up),
    range === null ? nothing : range.join(" to "),
    date ?? nothing,
  ];
}

function upTo(mbps: number): string {
  return `Up to ${mbps}`;
}
