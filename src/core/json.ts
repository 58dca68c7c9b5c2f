import { query } from "jsonpath-rfc9535";
import parse from "jsonpath-rfc9535/parser";

/** A value that JSON can carry. */
export type JsonValue = string | number | boolean | null | JsonArray | JsonObject;
/** A JSON array. */
export type JsonArray = readonly JsonValue[];
/** A JSON object; a key whose value is `undefined` counts as absent. */
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** Whether a value is a plain JSON object: neither an array, nor null, nor a number of {@link parseJson}. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isDigits(value);
}

/** Whether a value is a number that only its digits say, as {@link parseJson} makes them. */
export function isDigits(value: unknown): value is { readonly rawJSON: string } {
  return typeof value === "object" && value !== null && standard.isRawJSON(value);
}

// TypeScript's library does not know these yet: https://github.com/tc39/proposal-json-parse-with-source
const standard = JSON as unknown as {
  parse(text: string, reviver: (key: string, value: JsonValue, context: { source?: string }) => JsonValue): JsonValue;
  rawJSON(text: string): JsonObject;
  isRawJSON(value: object): boolean;
};

// Whether a text may hold a number of sixteen figures or one with an exponent; most texts hold neither.
const mayHoldDigits = /\d(?:[eE]|\d{15})/;

/**
 * Reads JSON text without losing digits: a number that JavaScript's cannot hold (an integer beyond 2^53, 1e400) becomes what
 * `JSON.rawJSON` makes, which `JSON.stringify` writes back digit by digit. A fraction is the nearest number, as everywhere.
 *
 * @throws SyntaxError when it is not JSON
 */
export function parseJson(text: string): JsonValue {
  if (!mayHoldDigits.test(text)) return JSON.parse(text) as JsonValue;
  return standard.parse(text, (_key, value, { source }) =>
    typeof value === "number" && source !== undefined && losesDigits(value, source) ? standard.rawJSON(source) : value,
  );
}

/** Whether a number in JSON or YAML text is not the one that JavaScript makes of it. */
export function losesDigits(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return true;
  const figures = source
    .replace(/[eE].*$/, "")
    .replaceAll(/[-.]/g, "")
    .replace(/^0+/, "");
  if (value === 0) return figures !== "";
  // Fifteen figures always come back.
  return Math.abs(value) > Number.MAX_SAFE_INTEGER && figures.length > 15 && String(value) !== source;
}

/** A property of an object's own; undefined where it has none, whatever every object has under that name. */
export function getOwn<T>(source: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(source, key) ? source[key] : undefined;
}

/** Sets a property of an object's own: assigning to `__proto__`, which a column or a field may be called, would set no property. */
export function setOwn<T>(target: Record<string, T>, key: string, value: T): void {
  if (key !== "__proto__") target[key] = value;
  else Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}

/**
 * The value with something else in place of the numbers that only digits say.
 *
 * @param replace - `Number` for the nearest number, `String` for text
 */
export function replaceDigits(value: JsonValue, replace: (digits: string) => JsonValue): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  if (isDigits(value)) return replace(value.rawJSON);
  if (Array.isArray(value)) return value.map((item: JsonValue) => replaceDigits(item, replace));
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, part === undefined ? part : replaceDigits(part, replace)]),
  );
}

/**
 * Checks that a text is a JSONPath, as in RFC 9535. `match()` and `search()` are not supported: their regular expressions may stand in
 * the very data that is searched, and take endless time.
 *
 * @throws Error that says what is wrong
 */
export function requireJsonPath(path: string): void {
  const called = functionsIn(parse(path));
  const refused = ["match", "search"].find((name) => called.has(name));
  if (refused !== undefined) throw new SyntaxError(`it uses ${refused}(), which is not supported`);
}

/** The first value at a JSONPath; undefined when there is none. */
export function firstAt(path: string, value: JsonValue): JsonValue | undefined {
  requireJsonPath(path);
  return (query(value as Parameters<typeof query>[0], path) as readonly JsonValue[])[0];
}

function functionsIn(node: unknown, found = new Set<string>()): ReadonlySet<string> {
  if (typeof node !== "object" || node === null) return found;
  if ("type" in node && node.type === "FunctionExpr" && "name" in node) found.add(String(node.name));
  for (const part of Object.values(node)) functionsIn(part, found);
  return found;
}
