import { siteData, type Behaviour, type Premises } from "./data.ts";

/** What the address form sends. */
export interface AddressQuery {
  readonly buildingNumber: string;
  readonly buildingName: string;
  readonly streetOrRoad: string;
  readonly town: string;
  readonly postCode: string;
}

/** What the checker makes of a query: one of its numbered errors, one home, or a list to choose from. */
export type SearchAnswer =
  | { readonly kind: "error"; readonly errorId: number }
  | { readonly kind: "exact"; readonly premises: Premises }
  | { readonly kind: "list"; readonly premises: readonly Premises[] };

/**
 * Looks an address up the way the checker does.
 *
 * The postcode must be typed exactly as stored, upper case and with its space (else error 1). A number or name together
 * with the street picks one home; anything less, or nothing found, offers every home of the postcode.
 *
 * @param turn - the list starts at this home instead of the first, so that tests can vary its order
 */
export function searchAddress(query: AddressQuery, behaviour: Behaviour, turn: number): SearchAnswer {
  if (behaviour.errorId !== undefined) return { kind: "error", errorId: behaviour.errorId };
  const homes = siteData.premises.filter((premises) => premises.postcode === query.postCode);
  if (homes.length === 0) return { kind: "error", errorId: isKnownPostcode(query.postCode) ? 1 : 8 };

  const matches = homes.filter((premises) => isAskedFor(premises, query));
  const [match] = matches;
  if (match !== undefined && matches.length === 1 && behaviour.list !== true) return { kind: "exact", premises: match };
  const start = turn % homes.length;
  return { kind: "list", premises: [...homes.slice(start), ...homes.slice(0, start)] };
}

/** The postcode a sloppily typed one stands for, so that behaviour is keyed by the same text. */
export function canonicalPostcode(typed: string): string {
  const letters = typed.toUpperCase().replaceAll(/\s/g, "");
  return `${letters.slice(0, -3)} ${letters.slice(-3)}`;
}

function isKnownPostcode(typed: string): boolean {
  const postcode = canonicalPostcode(typed);
  return siteData.premises.some((premises) => premises.postcode === postcode);
}

function isAskedFor(premises: Premises, query: AddressQuery): boolean {
  const { buildingNumber, buildingName, streetOrRoad } = query;
  if (buildingNumber === "" && buildingName === "") return false;
  return (
    (buildingNumber === "" || buildingNumber === premises.number) &&
    (buildingName === "" || same(buildingName, premises.name)) &&
    (streetOrRoad === "" || same(streetOrRoad, premises.street))
  );
}

function same(a: string, b: string | undefined): boolean {
  return a.trim().toLowerCase() === b?.toLowerCase();
}
