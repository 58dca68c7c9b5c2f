import type { JsonValue } from "../core/json.ts";

// Beyond this any answer is large.
const enough = 1024 ** 3;

/** How long a value's JSON text is, give or take: found without making it. */
export function roughSize(value: JsonValue): number {
  let size = 0;
  const open: JsonValue[] = [value];
  for (let next = open.pop(); next !== undefined && size < enough; next = open.pop()) {
    if (typeof next === "string") size += next.length + 2;
    else if (typeof next !== "object" || next === null) size += 5;
    else if (Array.isArray(next)) for (const item of next) open.push(item as JsonValue);
    else {
      for (const key of Object.keys(next)) {
        size += key.length + 4;
        open.push((next as Record<string, JsonValue>)[key] ?? null);
      }
    }
  }
  return size;
}
