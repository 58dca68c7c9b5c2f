import type { RowSelection } from "../core/engine.ts";
import { RowcallError } from "../core/errors.ts";

/**
 * The rows that a request chooses, and how many they are.
 *
 * @throws RowcallError USAGE_INVALID when a row is asked for that the table does not have
 */
export function chooseRows(
  rows: number,
  wanted: RowSelection | undefined,
  limit: number | undefined,
): { selection: RowSelection; total: number } {
  const ranges = wanted ?? (rows === 0 ? [] : [[0, rows - 1] as const]);
  const beyond = ranges.find(([, last]) => last >= rows);
  if (beyond !== undefined) {
    throw new RowcallError("USAGE_INVALID", `Row ${beyond[1]} is not in the input, which has ${rows} rows`, {
      hint:
        rows === 0
          ? "The input has a header and nothing else."
          : `Rows are counted from 0: the last one is ${rows - 1}.`,
    });
  }
  const selection: (readonly [number, number])[] = [];
  let total = 0;
  for (const [first, last] of ranges) {
    const many = Math.min(last - first + 1, (limit ?? Number.POSITIVE_INFINITY) - total);
    if (many <= 0) break;
    selection.push([first, first + many - 1]);
    total += many;
  }
  return { selection, total };
}

/** The rows that are in both selections; an absent one has all rows. */
export function overlap(selection: RowSelection, other: RowSelection | undefined): RowSelection {
  if (other === undefined) return selection;
  return selection.flatMap(([first, last]) =>
    other.map(([from, to]) => [Math.max(first, from), Math.min(last, to)] as const).filter(([from, to]) => from <= to),
  );
}
