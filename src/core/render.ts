import mustache from "mustache";
import { RowcallError, messageOf } from "./errors.ts";
import { isJsonObject, type JsonArray, type JsonObject, type JsonValue } from "./json.ts";

/** Makes a value's text fit the place it is inserted in, such as a URL. */
export type Encode = (text: string) => string;

type Token = readonly [kind: string, name: string, start: number, end: number, children?: readonly Token[]];

/**
 * Renders one Mustache text: variables, sections and inverted sections. Values are data: nothing is HTML-escaped,
 * and what a value holds is never read as Mustache.
 *
 * @param encode - applied to what `{{name}}` inserts, not to what `{{{name}}}` does. @default inserted as it is
 * @throws RowcallError TEMPLATE_RENDER naming the variable that is missing, or what is wrong with the text
 */
export function renderText(text: string, variables: JsonObject, encode: Encode = (inserted) => inserted): string {
  return text.includes("{{") ? renderTokens(parseText(text), [variables], encode, text) : text;
}

/**
 * Renders every string inside a JSON value. A string that is only `{{name}}` becomes the variable itself, so numbers and
 * objects keep their type.
 *
 * @throws RowcallError TEMPLATE_RENDER
 */
export function renderValue(value: JsonValue, variables: JsonObject): JsonValue {
  if (typeof value === "string") {
    const whole = /^\{\{\s*([^\s{}#^&!>=/][^{}]*)\}\}$/.exec(value)?.[1]?.trimEnd();
    const found = whole === undefined ? undefined : lookup(whole, [variables]);
    return found === undefined || typeof found === "string" ? renderText(value, variables) : found;
  }
  if (Array.isArray(value)) return value.map((item: JsonValue) => renderValue(item, variables));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value as JsonObject).map(([key, item]) => [
        key,
        item === undefined ? item : renderValue(item, variables),
      ]),
    );
  }
  return value;
}

/**
 * The names of the variables that a text or JSON value uses, sections included.
 *
 * @throws RowcallError TEMPLATE_RENDER when a text is not Mustache
 */
export function variablesOf(value: JsonValue): ReadonlySet<string> {
  const names = new Set<string>();
  const collect = (tokens: readonly Token[]): void => {
    for (const [kind, name, , , children] of tokens) {
      if (kind !== "text" && kind !== "!" && name !== ".") names.add(name);
      if (children !== undefined) collect(children);
    }
  };
  const walk = (node: JsonValue | undefined): void => {
    if (typeof node === "string") collect(parseText(node));
    else if (Array.isArray(node)) node.forEach(walk);
    else if (typeof node === "object" && node !== null) Object.values(node).forEach(walk);
  };
  walk(value);
  return names;
}

function parseText(text: string): readonly Token[] {
  try {
    return mustache.parse(text) as readonly Token[];
  } catch (cause) {
    throw new RowcallError(
      "TEMPLATE_RENDER",
      `Template text ${JSON.stringify(text)} is not valid Mustache: ${messageOf(cause)}`,
      {
        hint: "Close every section that is opened: {{#name}}…{{/name}}.",
        cause,
      },
    );
  }
}

function renderTokens(tokens: readonly Token[], scopes: readonly JsonValue[], encode: Encode, text: string): string {
  let rendered = "";
  for (const [kind, name, , , children = []] of tokens) {
    switch (kind) {
      case "text":
        rendered += name;
        break;
      case "name":
        rendered += encode(asText(required(name, scopes)));
        break;
      case "&":
        rendered += asText(required(name, scopes));
        break;
      case "#":
        for (const item of itemsOf(lookup(name, scopes)))
          rendered += renderTokens(children, [item, ...scopes], encode, text);
        break;
      case "^":
        if (itemsOf(lookup(name, scopes)).length === 0) rendered += renderTokens(children, scopes, encode, text);
        break;
      case "!":
        break;
      default:
        throw new RowcallError(
          "TEMPLATE_RENDER",
          `Template text ${JSON.stringify(text)} uses {{${kind}${name}}}, which is not supported`,
          {
            hint: "Use variables, sections and inverted sections.",
          },
        );
    }
  }
  return rendered;
}

function required(name: string, scopes: readonly JsonValue[]): JsonValue {
  const value = lookup(name, scopes);
  if (value !== undefined && value !== null) return value;
  throw new RowcallError("TEMPLATE_RENDER", `Template variable "${name}" is missing`, {
    hint: `Map a column to "${name}", give it a default, or wrap its use in {{#${name}}}…{{/${name}}}.`,
  });
}

// A name is tried whole before it is read as a path: table columns are called "No." and "a.b".
function lookup(name: string, scopes: readonly JsonValue[]): JsonValue | undefined {
  if (name === ".") return scopes[0];
  for (const scope of scopes) {
    if (!isJsonObject(scope)) continue;
    const value = member(scope, name) ?? name.split(".").reduce<JsonValue | undefined>(member, scope);
    if (value !== undefined) return value;
  }
  return undefined;
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (value === undefined || value === null || !Object.hasOwn(value as object, name)) return undefined;
  return (value as JsonObject)[name];
}

function itemsOf(value: JsonValue | undefined): readonly JsonValue[] {
  if (Array.isArray(value)) return value as JsonArray;
  return value === undefined || value === null || value === false || value === "" || value === 0 ? [] : [value];
}

function asText(value: JsonValue): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
