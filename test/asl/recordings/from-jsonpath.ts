import { isJsonObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";

/** A recorded machine uses more of JSONPath than has a plain counterpart in JSONata. */
export class NoCounterpart extends Error {
  override readonly name = "NoCounterpart";
}

/**
 * The same machine in JSONata. Most recordings were made in JSONPath; what is translated here does the same in both languages, so
 * that the recorded histories hold for both.
 *
 * @throws NoCounterpart
 */
export function fromJsonPath(machine: JsonObject): JsonObject {
  return { ...machine, QueryLanguage: "JSONata", ...translateStates(machine) };
}

type Translate = (value: JsonValue, state: JsonObject) => JsonObject;

const input = "$states.input";

// Fields of JSONPath, and what they become. `$` is what InputPath leaves of the input.
const fields: Readonly<Record<string, Translate>> = {
  QueryLanguage: () => ({}),
  InputPath: (value, state) => (state["Type"] === "Map" ? {} : none("InputPath", value)),
  ItemsPath: (value, state) => ({ Items: expression(path(value, baseOf(state))) }),
  Parameters: (value, state) => {
    if (state["Type"] === "Pass" && state["ResultPath"] !== undefined) return {};
    const name = { Pass: "Output", Map: "ItemSelector" }[String(state["Type"])] ?? "Arguments";
    return { [name]: template(value, baseOf(state)) };
  },
  ItemSelector: (value, state) => ({ ItemSelector: template(value, baseOf(state)) }),
  Assign: (value) => ({ Assign: template(value, input) }),
  Result: (value, state) => (state["ResultPath"] === undefined ? { Output: literal(value) } : {}),
  ResultPath: (value, state) => ({ Output: intoInput(value, state) }),
  Iterator: (value) => ({ ItemProcessor: translateStates(value as JsonObject) }),
  ItemProcessor: (value) => ({ ItemProcessor: translateStates(value as JsonObject) }),
  Branches: (value) => ({ Branches: (value as readonly JsonObject[]).map(translateStates) }),
  Choices: (value) => ({ Choices: (value as readonly JsonObject[]).map(translateRule) }),
  ItemReader: (value) => ({ ItemReader: translateReader(value as JsonObject) }),
  OutputPath: (value) => none("OutputPath", value),
  ResultSelector: (value, state) => (state["ResultPath"] === undefined ? none("ResultSelector", value) : {}),
};

function translateStates(sequence: JsonObject): JsonObject {
  const states = Object.entries(sequence["States"] as Record<string, JsonObject>);
  return { ...sequence, States: Object.fromEntries(states.map(([name, state]) => [name, translateState(state)])) };
}

function translateState(state: JsonObject): JsonObject {
  if (state["QueryLanguage"] === "JSONata") return state;
  const translated = Object.entries(state).map(([field, value = null]) => {
    const translate = fields[field];
    if (translate !== undefined) return translate(value, state);
    // `SecondsPath` and the like.
    if (field.endsWith("Path")) return { [field.slice(0, -4)]: expression(path(value, input)) };
    return { [field]: value };
  });
  const noItems = state["Type"] === "Map" && state["ItemsPath"] === undefined && state["ItemReader"] === undefined;
  const items = noItems && state["InputPath"] !== undefined ? { Items: expression(baseOf(state)) } : {};
  const joined = Object.assign({}, ...translated, items) as Record<string, JsonValue>;
  // Where items are read, ItemsPath says where in the file they are.
  if (joined["ItemReader"] !== undefined) delete joined["Items"];
  return joined;
}

const intrinsics: readonly (readonly [RegExp, (parameters: readonly string[], base: string) => string])[] = [
  [/^States\.ArrayRange\((\d+), (\d+), 1\)$/, ([first, last]) => `[${first}..${last}]`],
  [/^States\.MathAdd\((\S+), (-?\d+)\)$/, ([number = "", more], base) => `${path(number, base)} + ${more}`],
  [/^States\.Array\((\S+)\)$/, ([only = ""], base) => `[${path(only, base)}]`],
];

function baseOf(state: JsonObject): string {
  return state["InputPath"] === undefined ? input : path(state["InputPath"], input);
}

function path(value: JsonValue, base: string): string {
  const intrinsic = intrinsics.find(([pattern]) => pattern.test(String(value)));
  if (intrinsic !== undefined) {
    const [pattern, spell] = intrinsic;
    const [, ...parameters] = pattern.exec(String(value)) ?? [];
    return spell(parameters, base);
  }
  const [, root = "", steps = ""] =
    /^(\$\$|\$[A-Za-z]\w*|\$)((?:\.[\w-]+)*)$/.exec(String(value)) ?? none("Path", value);
  const start = root === "$" ? base : root === "$$" ? "$states.context" : root;
  return start + steps.replaceAll(/\.([\w-]+)/g, ".`$1`");
}

function template(value: JsonValue, base: string): JsonValue {
  if (Array.isArray(value)) return (value as JsonValue[]).map((each) => template(each, base));
  if (!isJsonObject(value)) return literal(value);
  return Object.fromEntries(
    Object.entries(value).map(([key, each = null]): [string, JsonValue] =>
      key.endsWith(".$") ? [key.slice(0, -2), expression(path(each, base))] : [key, template(each, base)],
    ),
  );
}

// A text in braces is a text to JSONPath.
function literal(value: JsonValue): JsonValue {
  if (typeof value === "string") return value.startsWith("{%") ? expression(JSON.stringify(value)) : value;
  return isJsonObject(value) || Array.isArray(value) ? template(value, input) : value;
}

function intoInput(value: JsonValue, state: JsonObject): JsonValue {
  if (value === null) return expression(input);
  const [, ...keys] = /^\$(\.[\w-]+)+$/.test(String(value)) ? String(value).split(".") : none("ResultPath", value);
  const merge = (target: string, [key = "", ...others]: readonly string[]): string =>
    `$merge([${target}, {"${key}": ${others.length === 0 ? resultOf(state) : merge(`${target}.\`${key}\``, others)}}])`;
  return expression(merge(input, keys));
}

function resultOf(state: JsonObject): string {
  const { Type, Result, Parameters = {}, ResultSelector } = state;
  if (ResultSelector !== undefined) return spelled(ResultSelector, "$states.result");
  if (Type !== "Pass") return "$states.result";
  return Result === undefined ? spelled(Parameters, input) : JSON.stringify(Result);
}

// A payload template as one expression.
function spelled(value: JsonValue, base: string): string {
  if (Array.isArray(value)) return `[${(value as JsonValue[]).map((each) => spelled(each, base)).join(", ")}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, each = null]) =>
    key.endsWith(".$")
      ? `${JSON.stringify(key.slice(0, -2))}: ${path(each, base)}`
      : `${JSON.stringify(key)}: ${spelled(each, base)}`,
  );
  return `{${members.join(", ")}}`;
}

function translateReader(reader: JsonObject): JsonObject {
  const { Parameters = {}, ReaderConfig = {}, ...others } = reader;
  const { MaxItemsPath, ...config } = ReaderConfig as JsonObject;
  const MaxItems = MaxItemsPath === undefined ? {} : { MaxItems: expression(path(MaxItemsPath, input)) };
  return { ...others, ReaderConfig: { ...config, ...MaxItems }, Arguments: template(Parameters, input) };
}

function translateRule({ Next, ...rule }: JsonObject): JsonObject {
  return { Condition: expression(condition(rule)), ...(Next === undefined ? {} : { Next }) };
}

const comparisons: Readonly<Record<string, (variable: string, value: JsonValue | undefined) => string>> = {
  StringEquals: (variable, value) => `${variable} = ${JSON.stringify(value)}`,
  BooleanEquals: (variable, value) => `${variable} = ${JSON.stringify(value)}`,
  NumericEquals: (variable, value) => `${variable} = ${JSON.stringify(value)}`,
  NumericGreaterThanEquals: (variable, value) => `${variable} >= ${JSON.stringify(value)}`,
  NumericLessThan: (variable, value) => `${variable} < ${JSON.stringify(value)}`,
  IsNumeric: (variable) => `$type(${variable}) = "number"`,
  IsPresent: (variable) => `$exists(${variable})`,
};

function condition({ Variable, ...rule }: JsonObject): string {
  const [[name, value = null]] = Object.entries(rule) as [[string, JsonValue | undefined]];
  if (name === "Not") return `$not(${condition(value as JsonObject)})`;
  if (name === "And") return (value as readonly JsonObject[]).map((each) => `(${condition(each)})`).join(" and ");
  return (comparisons[name] ?? none(name, value))(path(Variable ?? null, input), value);
}

function expression(text: string): string {
  return `{% ${text} %}`;
}

function none(field: string, value: JsonValue): never {
  throw new NoCounterpart(`${field}: ${JSON.stringify(value)}`);
}
