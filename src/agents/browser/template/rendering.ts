import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { renderText } from "../../../core/render.ts";

/** Renders every string inside a value of the template; numbers and the like stay as they are. */
export function render<T>(value: T, scope: JsonObject): T {
  return renderAny(value, (text) => renderText(text, scope)) as T;
}

/** Renders a regular expression: what variables hold stands for itself in it. */
export function renderPattern(pattern: string, scope: JsonObject): string {
  if (!pattern.includes("{{")) return pattern;
  return renderText(pattern, escapeStrings(scope) as JsonObject);
}

function renderAny(value: unknown, text: (value: string) => string): unknown {
  if (typeof value === "string") return text(value);
  if (Array.isArray(value)) return value.map((item) => renderAny(item, text));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, renderAny(item, text)]));
  }
  return value;
}

function escapeStrings(value: JsonValue | undefined): JsonValue | undefined {
  if (typeof value === "string")
    return value.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, (letter) => (letter === "-" ? "\\x2d" : `\\${letter}`));
  if (Array.isArray(value)) return value.map((item: JsonValue) => escapeStrings(item) ?? null);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, escapeStrings(item)]));
  return value;
}

/**
 * The value at a dotted path. Where the path meets a list it goes on in every item, so `offers.down` is the list of all
 * items' `down`.
 */
export function lookUp(path: string, scope: JsonObject): JsonValue | undefined {
  let values: readonly (JsonValue | undefined)[] = [scope];
  let spread = false;
  for (const key of path.split(".")) {
    values = values.flatMap((value) => {
      if (!Array.isArray(value)) return [step(value, key)];
      spread = true;
      return value.map((item: JsonValue) => step(item, key));
    });
  }
  return spread ? values.filter((value) => value !== undefined) : values[0];
}

function step(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as JsonObject)[key]
    : undefined;
}
