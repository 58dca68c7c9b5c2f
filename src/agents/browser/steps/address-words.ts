/** The words before the street in an address. */
export interface Building {
  /** `45a`; `34-40` for a range; undefined when there is only a name. */
  readonly number: string | undefined;
  /** `flat 7`, `unit 3 floor 2`. */
  readonly part: string;
  /** `albion house`. */
  readonly name: string;
}

/** Words, and how people shorten them. */
const shortened = {
  "&": "and",
  avenue: "av ave",
  boulevard: "blvd",
  building: "bldg",
  buildings: "bldgs",
  close: "cl clo",
  cottage: "cott",
  court: "crt ct",
  crescent: "cres",
  drive: "dr drv",
  estate: "est",
  flat: "apartment apt flt",
  garden: "gdn",
  gardens: "gdns",
  green: "grn",
  grove: "gr gro",
  house: "hse",
  lane: "la ln",
  mount: "mt",
  parade: "pde",
  park: "pk",
  place: "pl",
  promenade: "prom",
  road: "rd",
  square: "sq",
  street: "str",
  terrace: "ter terr",
  way: "wy",
};
const abbreviations = new Map(
  Object.entries(shortened).flatMap(([word, forms]) => forms.split(" ").map((form) => [form, word] as const)),
);

const setOf = (words: string): ReadonlySet<string> => new Set(words.trim().split(/\s+/));

const partWords = setOf(`
  flat unit room suite studio floor maisonette bedsit penthouse basement annexe annex block office shop
`);
const streetTypes = setOf(`
  avenue boulevard close court crescent drive gardens green grove hill lane mews park parade place road row square
  street terrace view walk way wharf yard gate
`);

/** Most characters of an address: words are compared each with each, so a longer text is none. */
export const maxAddressLength = 1000;

/** The words of an address in one spelling: lower case, no punctuation, abbreviations written out, ranges as `34-40`. */
export function wordsOf(text: string): readonly string[] {
  return text
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[\u0300-\u036f'’`."]/g, "")
    .replaceAll(/[‐-―−]/g, "-")
    .replaceAll(/(\d[a-z]?)\s*-\s*(\d)/g, "$1-$2")
    .replaceAll(/\b(\d+)\s+([a-z])(?=\s+[a-z]{2}|\s*$)/g, "$1$2")
    .split(/[^\p{L}\p{N}&-]+/u)
    .map((word) => word.replaceAll(/^-+|(?<!-)-+$/g, ""))
    .filter((word) => word !== "")
    .map((word) => abbreviations.get(word) ?? word);
}

/** Returns whether a word is a type of street, such as road. */
export function isStreetType(word: string): boolean {
  return streetTypes.has(word);
}

/** Returns whether two words are the same; "st" is both street and saint. */
export function sameWord(a: string, b: string): boolean {
  return (
    a === b || (a === "st" && (b === "street" || b === "saint")) || (b === "st" && (a === "street" || a === "saint"))
  );
}

/** Reads what stands before the street: `flat 7 albion house 15`. */
export function readBuilding(words: readonly string[]): Building {
  const last = words.at(-1);
  const beforeLast = words.at(-2);
  // "flat 7" alone is a part without a building number; "7" after anything else is one.
  const hasNumber = last !== undefined && isNumber(last) && !(beforeLast !== undefined && partWords.has(beforeLast));
  const rest = hasNumber ? words.slice(0, -1) : words;
  const part: string[] = [];
  const name: string[] = [];
  for (let i = 0; i < rest.length; i += 1) {
    const word = rest[i] ?? "";
    const next = rest[i + 1];
    if (partWords.has(word) && next !== undefined) {
      part.push(word, next);
      i += 1;
    } else if (partWords.has(word) || (i === 0 && /^\d/.test(word))) part.push(word);
    else name.push(word);
  }
  return {
    number: hasNumber ? last : undefined,
    part: part.join(" "),
    name: name.filter((word) => word !== "the").join(" "),
  };
}

/** Returns whether a word is the number of a building or a range of them. */
export function isNumber(word: string): boolean {
  return /^\d+[a-z]?(-\d+[a-z]?)?$/.test(word);
}

/** Compares a listed number with the wanted one: the same, a range around it, or another. */
export function compareNumbers(wanted: string, listed = ""): "same" | "in range" | "other" {
  if (wanted === listed) return "same";
  // Numbers with letters, 45A, are in no range and no ends of one.
  const [, from, to] = /^(\d+)-(\d+)$/.exec(listed)?.map(Number) ?? [];
  if (from === undefined || to === undefined || !/^\d+$/.test(wanted)) return "other";
  const own = Number(wanted);
  // A range counts along one side of the street: 34-40 holds 36, not 37.
  const step = (to - from) % 2 === 0 ? 2 : 1;
  return own >= from && own <= to && (own - from) % step === 0 ? "in range" : "other";
}

/**
 * The UK postcode in a text, as `SW1A 1AA`, and what stands before it.
 *
 * @param expected - taken where it stands, since "B1 2nd Floor" looks like one too; else the first counts
 */
export function splitAtPostcode(
  text: string,
  expected?: string,
): { readonly before: string; readonly postcode: string | undefined } {
  const matches = [...text.matchAll(/\b([A-Z]{1,2}\d[A-Z\d]?)\s*(\d[A-Z]{2})\b/gi)];
  const match = matches.find(([, outward, inward]) => `${outward} ${inward}`.toUpperCase() === expected) ?? matches[0];
  if (match === undefined) return { before: text, postcode: undefined };
  return { before: text.slice(0, match.index), postcode: `${match[1]} ${match[2]}`.toUpperCase() };
}

/**
 * Returns whether two words differ by one typing slip: one letter left out, added, changed or swapped with its neighbour.
 * Short words and words with digits must be equal, and so must first letters: "Mill" and "Hill" are two streets.
 */
export function isTypo(a: string, b: string): boolean {
  if (Math.min(a.length, b.length) < 5 || Math.abs(a.length - b.length) > 1 || a[0] !== b[0] || /\d/.test(a + b))
    return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const left = a.slice(start, a.length - end);
  const right = b.slice(start, b.length - end);
  if (left.length <= 1 && right.length <= 1) return true;
  return left.length === 2 && right.length === 2 && left[0] === right[1] && left[1] === right[0];
}
