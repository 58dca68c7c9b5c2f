import { siteData, type Behaviour, type Failure } from "./data.ts";
import { canonicalPostcode } from "./address-search.ts";

/** The two faces of the checker: open to all, or behind a login. */
export type Face = "public" | "totl";

/** What a test can set, through `site.control` or by a POST to `/__control`. */
export interface SiteSettings {
  /** Delay of every answer of the checker, in milliseconds. @default 0 */
  readonly latencyMs: number;
  /** How long the page itself waits for an answer. @default 40000 */
  readonly clientTimeoutMs: number;
  /** The public form asks for a captcha from the start. @default false */
  readonly captcha: boolean;
  /** The text on the captcha's picture. @default "R7K2PX" */
  readonly captchaAnswer: string;
  /** The cookie banner covers each page until it is answered. @default true */
  readonly cookieBanner: boolean;
  /** `changed` gives every page other ids, classes, names and column order. @default "original" */
  readonly layout: "original" | "changed";
  /** Every page says that the checker is unavailable. @default false */
  readonly closed: boolean;
  /** The suggested list starts at this home of the postcode. @default 0 */
  readonly seed: number;
  /** Requests to the logged-in checker that a login lasts for; null: without end. @default null */
  readonly sessionRequests: number | null;
  /** The portal opens the checker in a new tab. @default false */
  readonly portalNewTab: boolean;
  /** How long the second step of the login takes to show its field. @default 0 */
  readonly loginDelayMs: number;
  /** The fault plan: behaviour by postcode over that of `data.json`, "*" for every postcode. @default {} */
  readonly behaviours: Readonly<Record<string, Behaviour>>;
}

/** A change of settings; `reset` first brings back the defaults and forgets log, logins and counts. */
export type SitePatch = Partial<SiteSettings> & { readonly reset?: boolean };

/** One thing the checker was asked, in the order of arrival. */
export interface LogEntry {
  readonly kind: "search" | "select" | "line" | "login";
  readonly face: Face;
  /** As typed, except that a login shows only its user. */
  readonly asked: Readonly<Record<string, string>>;
}

/** Settings, counts and log of one running replica. */
export interface SiteState {
  settings(): SiteSettings;
  change(patch: SitePatch): SiteSettings;
  /** What data and fault plan say about a postcode, however it was typed. */
  behaviourFor(typed: string): Behaviour;
  /** Counts one search and says how it fails, if it does. */
  nextFailure(typed: string): Failure | undefined;
  record(entry: LogEntry): void;
  log(): readonly LogEntry[];
}

const defaults: SiteSettings = {
  latencyMs: 0,
  clientTimeoutMs: 40_000,
  captcha: false,
  captchaAnswer: "R7K2PX",
  cookieBanner: true,
  layout: "original",
  closed: false,
  seed: 0,
  sessionRequests: null,
  portalNewTab: false,
  loginDelayMs: 0,
  behaviours: {},
};

/** A fresh state. */
export function createSiteState(initial: Partial<SiteSettings>): SiteState {
  const first = { ...defaults, ...initial };
  let settings = first;
  let entries: LogEntry[] = [];
  const searches = new Map<string, number>();

  const behaviourFor = (typed: string): Behaviour => {
    const postcode = canonicalPostcode(typed);
    return { ...siteData.postcodes[postcode], ...settings.behaviours["*"], ...settings.behaviours[postcode] };
  };

  return {
    settings: () => settings,
    change({ reset, ...patch }) {
      const unknown = Object.keys(patch).find((key) => !Object.hasOwn(defaults, key));
      if (unknown !== undefined)
        throw new RangeError(`Unknown setting "${unknown}". Use one of: ${Object.keys(defaults).join(", ")}, reset.`);
      if (reset === true) {
        entries = [];
        searches.clear();
      }
      settings = { ...(reset === true ? first : settings), ...patch };
      return settings;
    },
    behaviourFor,
    nextFailure(typed) {
      const { failure, times } = behaviourFor(typed);
      if (failure === undefined) return undefined;
      const postcode = canonicalPostcode(typed);
      const before = searches.get(postcode) ?? 0;
      searches.set(postcode, before + 1);
      // A cycle rather than a start-up phase, so that a second run over the same site meets the same failures.
      return times === undefined || before % (times + 1) < times ? failure : undefined;
    },
    record: (entry) => void entries.push(entry),
    log: () => [...entries],
  };
}
