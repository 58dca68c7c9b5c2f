import { formatDuration } from "../../core/duration.ts";
import type { JsonValue } from "../../core/json.ts";

/** A whole number with commas: `1,204`. */
export function formatCount(many: number): string {
  return Math.round(many).toLocaleString("en-GB");
}

/** A number with its noun: `1 row`, `1,204 rows`. */
export function plural(many: number, noun: string): string {
  return `${formatCount(many)} ${noun}${many === 1 ? "" : "s"}`;
}

/** A share of a whole in per cent: `98.4 %`; a dash when there is no whole. */
export function formatShare(part: number, whole: number): string {
  if (whole === 0) return "–";
  const percent = (100 * part) / whole;
  // Rounding must not turn "nearly all" into "all".
  const shown = part < whole ? Math.min(percent, 99.9) : percent;
  return `${Number(shown.toFixed(1))} %`;
}

/** Rows per second: `12.3 / s`; below one a second per minute: `4.8 / min`. */
export function formatRate(rowsPerSecond: number | undefined): string {
  if (rowsPerSecond === undefined) return "–";
  if (rowsPerSecond >= 100) return `${formatCount(rowsPerSecond)} / s`;
  if (rowsPerSecond >= 1 || rowsPerSecond === 0) return `${rowsPerSecond.toFixed(1)} / s`;
  return `${(rowsPerSecond * 60).toFixed(1)} / min`;
}

/** A price in dollars: `$1.20`, `$0.004`; a dash when it is not known. */
export function formatCost(usd: number | undefined): string {
  if (usd === undefined) return "–";
  return `$${usd > 0 && usd < 0.01 ? Number(usd.toPrecision(2)) : usd.toFixed(2)}`;
}

/** How long is left: `about 4 min 5 s`; a dash when it is not known. */
export function formatLeft(seconds: number | undefined): string {
  return seconds === undefined ? "–" : `about ${formatDuration(seconds * 1000)}`;
}

/** A moment in UTC for people: `2026-03-04 15:06:07 UTC`. */
export function formatTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** A value of an agent's output in one cell: text as it is, everything else as JSON. */
export function cellOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The beginning of a text that is too long to show whole. */
export function shorten(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}
