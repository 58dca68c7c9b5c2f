import { isDigits, type JsonValue } from "../../core/json.ts";
import { showText } from "./show-text.ts";

/** How much of a value is shown. */
export interface ClipLimits {
  /** Characters of a text or a key. */
  readonly text: number;
  /** Items of a list, keys of an object. */
  readonly items: number;
  /** Lists and objects within one another. */
  readonly depth: number;
}

/** A value made small enough to be shown, with a note wherever something is left out; every text in it goes through `showText`. */
export function clip(value: unknown, limits: ClipLimits): JsonValue {
  if (typeof value === "string") return showText(value, limits.text);
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "boolean") return value;
  if (typeof value !== "object" || value === null) return null;
  if (isDigits(value)) return showText(value.rawJSON, limits.text);
  const { items, depth } = limits;
  if (depth === 0) return "[too large to show]";
  const below = { ...limits, depth: depth - 1 };
  if (Array.isArray(value)) {
    const kept = value.slice(0, items).map((item) => clip(item, below));
    return value.length <= items ? kept : [...kept, `[${value.length - items} more]`];
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const kept = entries.slice(0, items).map(([key, item]) => [showText(key, limits.text), clip(item, below)]);
  const more = entries.length <= items ? [] : [["[more]", `${entries.length - items} more`]];
  return Object.fromEntries([...kept, ...more]) as JsonValue;
}
