import type { RunSurvey } from "../../core/engine.ts";

/** A line of a chart; both lists are of the same length. */
export interface RateSeries {
  /** Seconds since 1970, the middle of each slice. */
  readonly at: readonly number[];
  readonly perSecond: readonly number[];
}

/** Attempts that ended per second over time; slices in which none ended are drawn as 0. */
export function rateSeries({ sliceMs, slices }: RunSurvey["timeline"]): RateSeries {
  const at: number[] = [];
  const perSecond: number[] = [];
  const note = (from: number, many: number): void => {
    at.push((from + sliceMs / 2) / 1000);
    perSecond.push((many * 1000) / sliceMs);
  };
  let expected: number | undefined;
  for (const slice of slices) {
    // A pause of any length is two points on the ground.
    if (expected !== undefined && slice.at > expected) {
      note(expected, 0);
      if (slice.at - sliceMs > expected) note(slice.at - sliceMs, 0);
    }
    note(slice.at, slice.succeeded + slice.failed);
    expected = slice.at + sliceMs;
  }
  return { at, perSecond };
}
