import { RowcallError } from "../../../core/errors.ts";
import {
  compareNumbers,
  isNumber,
  isStreetType,
  isTypo,
  maxAddressLength,
  readBuilding,
  sameWord,
  splitAtPostcode,
  wordsOf,
  type Building,
} from "./address-words.ts";
import type { AddressWords } from "../template/steps.ts";

/** The outcome of choosing. */
export type Choice =
  | { readonly kind: "chosen"; readonly index: number; readonly why: string }
  | { readonly kind: "ambiguous"; readonly candidates: readonly string[]; readonly why: string }
  | { readonly kind: "none"; readonly nearest: readonly string[]; readonly why: string };

/** The match of an address with the wanted one. */
export interface AddressMatch {
  readonly fits: boolean;
  /** The building fits but for the flat, which the wanted address does not name. */
  readonly needsPart: boolean;
  /** Greater is better; only to be compared with others for the same wanted address. */
  readonly score: number;
  /** The match in words. */
  readonly why: string;
}

/** The wanted address, taken apart. */
interface Wanted {
  readonly street: readonly string[];
  readonly postcode: string | undefined;
  readonly building: Building;
  /** Words of the full address, for what building and street leave open. */
  readonly fullWords: ReadonlySet<string>;
}

/**
 * Picks the option that is the wanted address. What does not settle the matter is never guessed: several equally good
 * options are ambiguous, and an option whose number, flat, street or postcode is another does not count.
 *
 * @param options - texts such as "Flat 7, Albion House, 15 Canal Street, Leeds, LS6 2QQ"; what follows the postcode is not
 *   part of the address; empty texts are not to be chosen
 */
export function chooseOption(options: readonly string[], wanted: AddressWords): Choice {
  const asked = readWanted(wanted);
  const named = ({ text }: { readonly text: string }): string => addressPart(text, asked);
  const matches = options
    .map((text, index) => ({ text, index, ...matchWanted(text, asked) }))
    .filter(({ text }) => text.trim() !== "");
  const best = bestOf(matches.filter((match) => match.fits));
  const [first] = best;
  if (first !== undefined) {
    if (best.length === 1) return { kind: "chosen", index: first.index, why: first.why };
    const settled = settle(best, asked);
    if (settled !== undefined)
      return { kind: "chosen", index: settled.index, why: `${settled.why}, settled by the full address` };
    const why = `${best.length} options fit equally well: ${first.why}`;
    return { kind: "ambiguous", candidates: best.map(named), why };
  }
  const parts = bestOf(matches.filter((match) => match.needsPart));
  const why = "the building has several parts, and none is named";
  if (parts.length > 1) return { kind: "ambiguous", candidates: parts.map(named), why };
  const nearest = matches.toSorted((a, b) => b.score - a.score).slice(0, 3);
  return { kind: "none", nearest: nearest.map(named), why: nearest[0]?.why ?? "there are no options" };
}

/** Compares a shown address with the wanted one, by the same rules as {@link chooseOption}. */
export function matchAddress(shown: string, wanted: AddressWords): AddressMatch {
  return matchWanted(shown, readWanted(wanted));
}

function readWanted(wanted: AddressWords): Wanted {
  for (const [name, text] of Object.entries<string | undefined>({ ...wanted })) {
    if (text === undefined || text.length <= maxAddressLength) continue;
    const what = `The ${name} of the wanted address has ${text.length} characters`;
    throw new RowcallError("ROW_INVALID", `${what}, more than the ${maxAddressLength} of an address`, {
      hint: "Correct the row.",
    });
  }
  // A town may follow the street in the same cell, and the number may stand there once more.
  const [firstPart = ""] = wanted.street.split(",");
  const number = wordsOf(wanted.building_number);
  const words = wordsOf(firstPart);
  const repeated = words.length > number.length && number.length > 0 && number.every((word, i) => word === words[i]);
  const street = repeated ? words.slice(number.length) : words;
  const own = readBuilding(number);
  const asked = splitAtPostcode(wanted.postcode ?? "").postcode;
  const { before, postcode } = splitAtPostcode(wanted.full_address ?? "", asked);
  // People put commas where they like.
  const full = placesOf(before.replaceAll(",", " "), street)
    .map(({ building }) => building)
    .find((building) => own.number === undefined || building.number === own.number);
  return {
    street,
    postcode: asked ?? postcode,
    building: { number: own.number, part: own.part === "" ? (full?.part ?? "") : own.part, name: own.name },
    fullWords: new Set(wordsOf(before)),
  };
}

function matchWanted(text: string, wanted: Wanted): AddressMatch {
  const { before, postcode } = splitAtPostcode(text, wanted.postcode);
  if (before.length > maxAddressLength) return other(`it is no address, with ${before.length} characters`, 0);
  if (wanted.street.length === 0) return other("no street was given", 0);
  if (wanted.postcode !== undefined && postcode !== undefined && wanted.postcode !== postcode)
    return other(`the postcode is ${postcode}`, 0);
  const places = placesOf(before, wanted.street).map((place) => matchPlace(place, wanted));
  const [best] = places.toSorted(
    (a, b) => Number(b.fits) - Number(a.fits) || Number(b.needsPart) - Number(a.needsPart) || b.score - a.score,
  );
  return best ?? other("the street is another", sharedWords(before, wanted) / 100);
}

function matchPlace(place: Place, wanted: Wanted): AddressMatch {
  const { building, slips } = place;
  const street = slips === 0 ? "the street is the same" : "the street is the same but for a slip";
  const streetScore = slips === 0 ? 4 : 2;
  const asked = wanted.building;
  if (asked.number === undefined && asked.part === "" && asked.name === "") return other("no building was given", 1);

  const number = asked.number === undefined ? "same" : compareNumbers(asked.number, building.number);
  if (number === "other") return other(`${street}, the number is ${building.number ?? "not there"}`, streetScore / 10);
  const name = building.name === "" ? "not there" : `"${building.name}"`;
  if (asked.name !== "" && asked.name !== building.name)
    return other(`${street}, the name is ${name}`, streetScore / 10);
  const said = number === "same" ? "the number too" : `the number lies in ${building.number}`;
  const why = asked.number === undefined ? street : `${street}, ${said}`;
  const score = streetScore + (number === "same" ? 1 : 0);
  if (asked.part === building.part) return { fits: true, needsPart: false, score, why };
  if (asked.part === "")
    return { fits: false, needsPart: true, score, why: `${why}, but it is ${building.part} of it` };
  const part = building.part === "" ? `${asked.part} is not named` : `it is ${building.part}`;
  return other(`${why}, but ${part}`, score / 10);
}

function other(why: string, score: number): AddressMatch {
  return { fits: false, needsPart: false, score, why };
}

/** A place in an address where the street stands, and the words before it. */
interface Place {
  readonly building: Building;
  readonly slips: number;
}

function placesOf(address: string, street: readonly string[]): readonly Place[] {
  if (street.length === 0) return [];
  const parts = address.split(",").map(wordsOf);
  const words = parts.flat();
  // Where a comma ends a part, the street has to end too: "Park" is not "Park Road".
  const ends = new Set<number>();
  parts.reduce((length, part) => (ends.add(length + part.length), length + part.length), 0);
  const places: Place[] = [];
  for (let start = 0; start + street.length <= words.length; start += 1) {
    const end = start + street.length;
    const following = words[end];
    const goesOn = !ends.has(end) && following !== undefined && (parts.length > 1 || isStreetType(following));
    const before = words[start - 1];
    const startsHere =
      start === 0 || ends.has(start) || (before !== undefined && isNumber(before)) || parts.length === 1;
    if (goesOn || !startsHere) continue;
    const slips = slipsBetween(street, words.slice(start, end));
    if (slips <= 1) places.push({ building: readBuilding(words.slice(0, start)), slips });
  }
  return places;
}

/** Counts the words that differ by a typing slip; more than one when any differs by more. */
function slipsBetween(a: readonly string[], b: readonly string[]): number {
  let slips = 0;
  for (const [i, word] of a.entries()) {
    const twin = b[i] ?? "";
    if (sameWord(word, twin)) continue;
    slips += isTypo(word, twin) ? 1 : 2;
  }
  return slips;
}

function bestOf<T extends AddressMatch>(matches: readonly T[]): readonly T[] {
  const top = matches.reduce((best, { score }) => Math.max(best, score), Number.NEGATIVE_INFINITY);
  return matches.filter((match) => match.score === top);
}

/** The one candidate whose own words, those that not all candidates share, all stand in the full address. */
function settle<T extends { readonly text: string }>(candidates: readonly T[], wanted: Wanted): T | undefined {
  const words = candidates.map(({ text }) => new Set(wordsOf(addressPart(text, wanted))));
  const uses = new Map<string, number>();
  for (const word of words.flatMap((set) => [...set])) uses.set(word, (uses.get(word) ?? 0) + 1);
  const named = candidates.filter((_, i) => {
    const own = [...(words[i] ?? [])].filter((word) => uses.get(word) !== candidates.length);
    return own.length > 0 && own.every((word) => wanted.fullWords.has(word));
  });
  return named.length === 1 ? named[0] : undefined;
}

function sharedWords(text: string, wanted: Wanted): number {
  const words = new Set(wordsOf(text));
  return [...wanted.street, wanted.building.number ?? "", ...wanted.fullWords].filter((word) => words.has(word)).length;
}

/** An option without what the site adds after the postcode. */
function addressPart(text: string, wanted: Wanted): string {
  const { before, postcode } = splitAtPostcode(text, wanted.postcode);
  return postcode === undefined ? text.trim() : `${before.trim().replace(/,$/, "")}, ${postcode}`;
}
