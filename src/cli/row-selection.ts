import { InvalidArgumentError } from "commander";
import type { RowSelection } from "../core/engine.ts";

/**
 * Reads rows as people write them: numbers and ranges, counted from 0, ends included, in any order.
 *
 * @example parseRowSelection("7-9,3") // [[3, 3], [7, 9]]
 * @throws InvalidArgumentError
 */
export function parseRowSelection(text: string): RowSelection {
  const ranges = text
    .split(",")
    .map(parseRange)
    .toSorted((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [first, last] of ranges) {
    const before = merged.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

function parseRange(text: string): readonly [number, number] {
  const [, from, to = from] = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (from === undefined || !Number.isSafeInteger(last)) {
    throw new InvalidArgumentError(
      `"${text}" is neither a row nor a range of rows; write rows as 3,7-9, counted from 0.`,
    );
  }
  if (first > last) throw new InvalidArgumentError(`"${text}" ends before it begins.`);
  return [first, last];
}
