import type { RunSurvey } from "../core/engine.ts";

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

/**
 * Rows per second of late: over the last ten slices or the last minute, whichever is longer; undefined when nothing ended in
 * that time.
 *
 * @param now - milliseconds since 1970, UTC
 */
export function recentRate({ sliceMs, slices }: RunSurvey["timeline"], now: number): number | undefined {
  const from = now - Math.max(10 * sliceMs, 60_000);
  const recent = slices.filter(({ at }) => at >= from);
  const [first] = recent;
  if (first === undefined) return undefined;
  const ended = recent.reduce((sum, { succeeded, failed }) => sum + succeeded + failed, 0);
  return (ended * 1000) / Math.max(now - first.at, sliceMs);
}
