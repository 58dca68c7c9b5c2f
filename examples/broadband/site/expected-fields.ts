import { linesOf, type ExpectedFields, type Premises } from "./data.ts";

interface Offer {
  readonly kind: "ADSL" | "FTTC" | "FTTP";
  readonly down: number | null;
  readonly up: number | null;
  /** The cells that say from when the product can be ordered. */
  readonly dates: readonly (string | null)[];
}

/**
 * What the flagship agent must return for a home.
 *
 * Best High value among the products that can be ordered, and the best kind of product: FTTP, then FTTC (VDSL and
 * G.fast), then ADSL.
 */
export function expectedFields(premises: Premises): ExpectedFields {
  const offers = offersAt(premises).filter((offer) => offer.dates.some(canBeOrdered));
  const kinds = (["FTTP", "FTTC", "ADSL"] as const).filter((kind) => offers.some((offer) => offer.kind === kind));
  return {
    success: true,
    exchange: premises.exchange,
    cabinet: premises.cabinet === null ? "" : `Cabinet ${premises.cabinet}`,
    downstream_mbps: best(offers.map((offer) => offer.down)),
    upstream_mbps: best(offers.map((offer) => offer.up)),
    availability: offers.length > 0,
    service_type: kinds[0] ?? "unknown",
  };
}

function offersAt(premises: Premises): Offer[] {
  const { vdslA, vdslB, gfastA, gfastB, fttp, adsl2plus, adslAnnexM, adslMax } = linesOf(premises);
  const copper = [vdslA, vdslB, gfastA, gfastB].filter((range) => range !== undefined);
  const adsl = [adsl2plus, adslAnnexM, adslMax].filter((product) => product !== undefined);
  return [
    ...copper.map(({ down, up, fttc, sogea }) => ({
      kind: "FTTC" as const,
      down: down[0],
      up: up[0],
      dates: [fttc, sogea],
    })),
    ...adsl.map(({ down, up, date }) => ({ kind: "ADSL" as const, down, up, dates: [date] })),
    ...(fttp === undefined ? [] : [{ kind: "FTTP" as const, down: fttp.down, up: fttp.up, dates: [fttp.date] }]),
  ];
}

/** "Available" and a date mean yes; "Unavailable", "Waiting list" and nothing mean no. */
function canBeOrdered(date: string | null): boolean {
  return date !== null && (date === "Available" || /^\d{2}-[A-Z][a-z]{2}-\d{4}$/.test(date));
}

function best(values: readonly (number | null)[]): number | null {
  const numbers = values.filter((value) => value !== null);
  return numbers.length === 0 ? null : Math.max(...numbers);
}
