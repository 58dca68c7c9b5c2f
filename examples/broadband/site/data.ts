import { readFileSync } from "node:fs";

/** A VDSL or G.fast range; line rates are [high, low] in Mbps. */
export interface CopperRange {
  readonly down: readonly [number, number];
  readonly up: readonly [number, number];
  readonly handback: number;
  /** "Available", "Unavailable", "Waiting list" or a date, 14-Mar-2025. */
  readonly fttc: string;
  readonly sogea: string;
}

/** An ADSL product; all null where the line cannot carry it. */
export interface AdslProduct {
  readonly down: number | null;
  readonly up: number | null;
  readonly range: readonly [number, number] | null;
  readonly date: string | null;
}

/** What can be had over a line; an absent product prints "--" in every cell. */
export interface Lines {
  readonly vdslA?: CopperRange;
  readonly vdslB?: CopperRange;
  readonly gfastA?: CopperRange;
  readonly gfastB?: CopperRange;
  readonly fttp?: { readonly down: number; readonly up: number; readonly date: string; readonly install: string };
  readonly adsl2plus?: AdslProduct;
  readonly adslAnnexM?: AdslProduct;
  readonly adslMax?: AdslProduct;
  readonly observed?: { readonly vdsl: { readonly down: number; readonly up: number; readonly date: string } };
}

/** An optical network terminal that is already on the wall. */
export interface Ont {
  readonly reference: string;
  readonly serial: string;
  readonly service: string;
  readonly l2sid: string;
}

/** One invented home or business; every page about it is derived from this record. */
export interface Premises {
  /** A and 11 digits. */
  readonly ref: string;
  /** 12 digits. */
  readonly uprn: string;
  readonly sub?: string;
  readonly name?: string;
  readonly number?: string;
  readonly street: string;
  readonly locality?: string;
  readonly town: string;
  readonly postcode: string;
  /** Openreach district; null prints XX. */
  readonly district: string | null;
  readonly organisation?: string;
  readonly location?: string;
  readonly business?: boolean;
  readonly ont?: Ont;
  readonly messages?: readonly string[];
  /** Key of {@link SiteData.exchanges}. */
  readonly exchange: string;
  readonly cabinet: number | null;
  /** Key of {@link SiteData.lines}. */
  readonly lines: string;
}

/** Ways in which a search goes wrong below the page. */
export type Failure = "unavailable" | "http-500" | "dropped" | "blank";

/** How the site behaves when a postcode is searched. */
export interface Behaviour {
  /** Offers the list even where one home matches exactly. */
  readonly list?: boolean;
  /** Answers with the checker's own error. */
  readonly errorId?: number;
  readonly failure?: Failure;
  /** How many searches fail before one goes well, over and over; absent: all of them. */
  readonly times?: number;
  readonly delayMs?: number;
  /** Asks for a captcha after Submit. */
  readonly captcha?: boolean;
  /** The result page has other names, classes and columns. */
  readonly layout?: "changed";
  /** The cookie banner comes back with the answer. */
  readonly cookieBanner?: boolean;
  /** Reference of the home whose result is shown in place of the one that was found. */
  readonly answersWith?: string;
}

/** The four columns of `addresses.csv`. */
export interface RowInput {
  readonly building_number: string;
  readonly street: string;
  readonly postcode: string;
  readonly full_address: string;
}

/** The agent's fields that the data decides; `screenshot_url` and `metadata` are the run's. */
export interface ExpectedFields {
  readonly success: boolean;
  readonly exchange: string;
  /** "Cabinet 9"; empty where there is none. */
  readonly cabinet: string;
  readonly downstream_mbps: number | null;
  readonly upstream_mbps: number | null;
  readonly availability: boolean;
  readonly service_type: "ADSL" | "VDSL" | "FTTC" | "FTTP" | "unknown";
}

/** What a batch must answer for one row of `addresses.csv`. */
export interface Expectation {
  readonly scenario: string;
  readonly input: RowInput;
  /** Reference of the home that is meant. */
  readonly premises?: string;
  readonly expected:
    | { readonly status: "SUCCESS"; readonly fields: ExpectedFields }
    /** `message` is the source of a regular expression, to be used with the flag `i`. */
    | { readonly status: "FAILED"; readonly code: string; readonly message: string };
}

/** Everything the replica knows. */
export interface SiteData {
  /** Exchange name to exchange code. */
  readonly exchanges: Readonly<Record<string, string>>;
  readonly lines: Readonly<Record<string, Lines>>;
  readonly postcodes: Readonly<Record<string, Behaviour>>;
  readonly premises: readonly Premises[];
  readonly expectations: readonly Expectation[];
}

/** The replica's one data file, `data.json`. */
export const siteData: SiteData = JSON.parse(readFileSync(new URL("data.json", import.meta.url), "utf8")) as SiteData;

/** The product lines of a home. */
export function linesOf(premises: Premises): Lines {
  const lines = siteData.lines[premises.lines];
  if (lines === undefined)
    throw new Error(`Premises ${premises.ref} names lines "${premises.lines}", which data.json lacks.`);
  return lines;
}

/** The code of a home's exchange, such as SDPCHVN. */
export function exchangeCodeOf(premises: Premises): string {
  const code = siteData.exchanges[premises.exchange];
  if (code === undefined)
    throw new Error(`Premises ${premises.ref} names exchange "${premises.exchange}", which data.json lacks.`);
  return code;
}
