import { messageOf, RowcallError } from "./errors.ts";
import { isDigits, parseJson, setOwn, type JsonValue } from "./json.ts";

// Levels of objects and lists that an answer may have.
const maxAnswerLevels = 200;
/** Largest answer: characters of its texts and names, with a few for every value and 64 for every object and list. */
export const maxAnswerSize = 64 * 1024 * 1024;

/** What an agent gave, as plain JSON. */
export interface Admitted {
  /** A copy: whatever the agent does with its own object later changes nothing. */
  readonly value: JsonValue;
  /** Whether a number in it is one that only its digits say; see `parseJson`. */
  readonly hasDigits: boolean;
}

/**
 * Takes what an agent gave, which may be anything: it comes out as plain JSON, or not at all. As in JSON, a property that is undefined
 * is absent, -0 is 0, and what has a `toJSON` (a date) is what that says. Nothing else changes on the way: what JSON cannot say
 * (NaN, a Map, a function, undefined in a list) is an error, not an empty cell.
 *
 * @param name - what it is, for messages: `structured_output`
 * @throws RowcallError OUTPUT_INVALID, naming what cannot be stored: `structured_output.seen is a BigInt (3n)`
 */
export function admit(given: unknown, name: string): Admitted {
  const state: State = { size: 0, hasDigits: false };
  try {
    return { value: copy(given, state, 1), hasDigits: state.hasDigits };
  } catch (thrown) {
    const { path, what, hint } = at(thrown, name);
    throw new RowcallError("OUTPUT_INVALID", `${path} ${what}`, { hint, cause: thrown });
  }
}

interface State {
  size: number;
  hasDigits: boolean;
}

/** Why a value is not admitted, and where it is. */
class Unfit extends Error {
  path = "";
  readonly what: string;
  readonly hint: string;

  constructor(what: string, hint: string) {
    super(what);
    this.what = what;
    this.hint = hint;
  }
}

const jsonHint = "An answer holds texts, numbers, true, false, null, lists and plain objects, as JSON does.";

const instanceHint =
  "Answer with a plain object or a list of what is in it: Object.fromEntries(map), [...set], { ...instance }.";

function notJson(what: string, hint = jsonHint): Unfit {
  return new Unfit(`is ${what}, which JSON cannot hold`, hint);
}

// What was thrown on the way to a value, by us or by the value itself, with the step that led there.
function at(thrown: unknown, step: string): Unfit {
  const unfit = thrown instanceof Unfit ? thrown : new Unfit(`cannot be read: ${messageOf(thrown)}`, jsonHint);
  unfit.path = step + unfit.path;
  return unfit;
}

function copy(value: unknown, state: State, level: number): JsonValue {
  switch (typeof value) {
    case "string":
      count(state, value.length + 2);
      return value;
    case "number":
      if (!Number.isFinite(value)) throw notJson(String(value));
      count(state, 8);
      return value === 0 ? 0 : value;
    case "boolean":
      count(state, 8);
      return value;
    case "object":
      if (value !== null) return copyObject(value, state, level);
      count(state, 8);
      return null;
    case "bigint": {
      const digits = value.toString();
      const shown = digits.length > 40 ? `${digits.slice(0, 40)}…` : digits;
      throw notJson(`a BigInt (${shown}n)`, "Answer with text, which keeps every digit: String(value).");
    }
    case "undefined":
      throw notJson("undefined");
    case "function":
    case "symbol":
      throw notJson(`a ${typeof value}`);
  }
}

function count(state: State, size: number): void {
  state.size += size;
  if (state.size > maxAnswerSize)
    throw new Unfit(
      `makes the answer larger than ${maxAnswerSize / 1024 / 1024} MiB`,
      "An answer is one row: have the agent answer with less, or with where the data lies.",
    );
}

function copyObject(value: object, state: State, level: number): JsonValue {
  if (level > maxAnswerLevels)
    throw new Unfit(
      `is nested deeper than ${maxAnswerLevels} levels`,
      "It may hold itself. Have the agent answer with less.",
    );
  count(state, 64);
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON !== "function") return copyParts(value, state, level);
  const json: unknown = toJSON.call(value, "");
  if (json === null && tagOf(value) === "[object Date]") throw notJson("an invalid date");
  if (ArrayBuffer.isView(value)) throw notJson(kindOf(value), instanceHint);
  return typeof json === "object" && json !== null ? copyParts(json, state, level) : copy(json, state, level);
}

function copyParts(value: object, state: State, level: number): JsonValue {
  if (Array.isArray(value)) return copyList(value as readonly unknown[], state, level);
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null && isDigits(value)) {
    const digits = parseJson(value.rawJSON);
    state.hasDigits ||= isDigits(digits);
    count(state, value.rawJSON.length);
    return digits;
  }
  const keys = Object.keys(value);
  if (prototype !== Object.prototype && prototype !== null) requireOwnData(value, keys, prototype);
  return copyProperties(value as Readonly<Record<string, unknown>>, keys, state, level);
}

function copyList(list: readonly unknown[], state: State, level: number): JsonValue {
  const { length } = list;
  // An empty list that is filled takes room for seventeen; of an absurd length nothing is taken before it is counted.
  const items: JsonValue[] = length < 1000 ? Array<JsonValue>(length) : [];
  let i = 0;
  try {
    for (; i < length; i += 1) items[i] = copy(list[i], state, level + 1);
  } catch (thrown) {
    throw at(thrown, `[${i}]`);
  }
  return items;
}

function copyProperties(
  value: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  state: State,
  level: number,
): JsonValue {
  const own: Record<string, JsonValue> = {};
  let key = "";
  try {
    for (key of keys) {
      const part = value[key];
      if (part === undefined) continue;
      count(state, key.length + 3);
      setOwn(own, key, copy(part, state, level + 1));
    }
  } catch (thrown) {
    throw at(thrown, `.${key}`);
  }
  return own;
}

// JSON shows of an instance the properties of its own, and of a Map, an Error or a Promise nothing.
function requireOwnData(value: object, keys: readonly string[], prototype: object): void {
  const isOfOtherRealm = Object.getPrototypeOf(prototype) === null;
  const isShown = isOfOtherRealm || (tagOf(value) === "[object Object]" && keys.length > 0);
  if (!isShown) throw notJson(kindOf(value), instanceHint);
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value);
}

function kindOf(value: object): string {
  const { constructor } = value as { readonly constructor?: { readonly name?: unknown } };
  const name = typeof constructor?.name === "string" ? constructor.name : "";
  if (name === "") return "a class instance";
  return `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
}
