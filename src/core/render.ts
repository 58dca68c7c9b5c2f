import mustache from "mustache";
import { RowcallError, messageOf } from "./errors.ts";
import type { JsonObject, JsonValue } from "./json.ts";

type Token = readonly [kind: string, name: string, start: number, end: number, children?: readonly Token[]];

/**
 * Renders one Mustache text: variables, sections and inverted sections. Values are data: nothing is HTML-escaped,
 * and what a value holds is never read as Mustache.
 *
 * @throws RowcallError TEMPLATE_RENDER naming the variable that is missing, or what is wrong with the text
 */
export function renderText(text: string, variables: JsonObject): string {
  if (!text.includes("{{")) return text;
  const tokens = parseText(text);
  const context = new mustache.Context(variables);
  requireVariables(tokens, context, text);
  return mustache.render(text, context, {}, { escape: asText });
}

/**
 * Renders every string inside a JSON value. A string that is only `{{name}}` becomes the variable itself, so numbers and
 * objects keep their type.
 *
 * @throws RowcallError TEMPLATE_RENDER
 */
export function renderValue(value: JsonValue, variables: JsonObject): JsonValue {
  if (typeof value === "string") {
    const whole = /^\{\{\s*([\w.-]+)\s*\}\}$/.exec(value)?.[1];
    const found = whole === undefined ? undefined : (new mustache.Context(variables).lookup(whole) as JsonValue | undefined);
    return found === undefined || typeof found === "string" ? renderText(value, variables) : found;
  }
  if (Array.isArray(value)) return value.map((item: JsonValue) => renderValue(item, variables));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value as JsonObject).map(([key, item]) => [key, item === undefined ? item : renderValue(item, variables)]),
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
    throw new RowcallError("TEMPLATE_RENDER", `Template text ${JSON.stringify(text)} is not valid Mustache: ${messageOf(cause)}`, {
      hint: "Close every section that is opened: {{#name}}…{{/name}}.",
      cause,
    });
  }
}

function requireVariables(tokens: readonly Token[], context: InstanceType<typeof mustache.Context>, text: string): void {
  for (const [kind, name, , , children] of tokens) {
    if (kind === ">" || kind === "=") {
      throw new RowcallError("TEMPLATE_RENDER", `Template text ${JSON.stringify(text)} uses {{${kind}${name}}}, which is not supported`, {
        hint: "Use variables, sections and inverted sections.",
      });
    }
    if (kind === "name" || kind === "&") {
      const value: unknown = context.lookup(name);
      if (value === undefined || value === null) {
        throw new RowcallError("TEMPLATE_RENDER", `Template variable "${name}" is missing`, {
          hint: `Map a column to "${name}", give it a default, or wrap its use in {{#${name}}}…{{/${name}}}.`,
        });
      }
    }
    if (kind === "#" || kind === "^") requireInSection(kind, name, children ?? [], context, text);
  }
}

function requireInSection(kind: "#" | "^", name: string, children: readonly Token[], context: InstanceType<typeof mustache.Context>, text: string): void {
  const value: unknown = context.lookup(name);
  const empty = value === undefined || value === null || value === false || value === "" || value === 0 || (Array.isArray(value) && value.length === 0);
  if (kind === "^") {
    if (empty) requireVariables(children, context, text);
  } else if (!empty) {
    for (const item of Array.isArray(value) ? value : [value]) requireVariables(children, context.push(item), text);
  }
}

function asText(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
