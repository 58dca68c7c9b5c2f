import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { isExpression } from "./definition-schema.ts";
import { parseExpression } from "./expression.ts";
import { jsonataFunctions } from "./jsonata-functions.ts";

/** What expressions see, besides functions. */
export interface Bindings {
  /** `$states`. */
  readonly states: JsonObject;
  readonly variables: Readonly<Record<string, JsonValue>>;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly random: () => number;
}

/** An expression that failed, or a value that does not fit its field: `States.QueryEvaluationError`. */
export class EvaluationFailure extends Error {
  override readonly name = "EvaluationFailure";
  /** Field of the state: `Output/result`. */
  readonly location: string | undefined;

  constructor(location: string | undefined, message: string) {
    super(message);
    this.location = location;
  }
}

/**
 * Evaluates the expressions in a template.
 *
 * @param location - the template's field, as AWS names it: `Output`, `Catch[0]/Assign`
 * @throws EvaluationFailure with AWS's text
 */
export async function evaluate(template: JsonValue, location: string, bindings: Bindings): Promise<JsonValue> {
  if (typeof template === "string")
    return isExpression(template) ? evaluateExpression(template, location, bindings) : template;
  if (typeof template !== "object" || template === null) return template;
  if (isArray(template)) {
    const values: JsonValue[] = [];
    for (const [index, each] of template.entries())
      values.push(await evaluate(each, `${location}[${index}]`, bindings));
    return values;
  }
  const value: Record<string, JsonValue> = {};
  for (const [key, each] of Object.entries(template))
    define(value, key, await evaluate(each ?? null, `${location}/${key}`, bindings));
  return value;
}

/** A type that a field asks for. */
export type FieldType = "array" | "boolean" | "integer" | "number" | "string" | "object";

/**
 * Evaluates a field that must be of a type.
 *
 * @throws EvaluationFailure
 */
export async function evaluateTyped(
  field: JsonValue,
  type: FieldType,
  location: string,
  bindings: Bindings,
): Promise<JsonValue> {
  const value = await evaluate(field, location, bindings);
  if (typeOf(value) === type || (type === "integer" && Number.isInteger(value))) return value;
  throw new EvaluationFailure(
    location,
    `${quote(field, location)} returned an unexpected result type. Expected '${type}', but was '${typeOf(value)}' for value: ${JSON.stringify(value)}`,
  );
}

async function evaluateExpression(text: string, location: string, bindings: Bindings): Promise<JsonValue> {
  const { compiled } = parseExpression(text);
  const { states, variables, now, random } = bindings;
  let result: unknown;
  try {
    result = await compiled.evaluate(undefined, { ...jsonataFunctions(now, random), ...variables, states });
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message?: string };
    const reason = code === undefined ? `: ${message ?? String(error)}` : `. ${code}: ${message}`;
    throw new EvaluationFailure(location, `${quote(text, location)} threw an error during evaluation${reason}`);
  }
  if (result === undefined)
    throw new EvaluationFailure(location, `${quote(text, location)} returned nothing (undefined).`);
  const value = toJson(result);
  if (value === undefined)
    throw new EvaluationFailure(location, `${quote(text, location)} returned an unsupported result type.`);
  return value;
}

function quote(field: JsonValue, location: string): string {
  const source = typeof field === "string" && isExpression(field) ? parseExpression(field).source : String(field);
  return `The JSONata expression '${source}' specified for the field '${location}'`;
}

// A copy without what JSONata hangs on its arrays; undefined when a function or the like is in it.
function toJson(value: unknown): JsonValue | undefined {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (Array.isArray(value)) {
    const items = value.map(toJson);
    return items.includes(undefined) ? undefined : (items as JsonValue[]);
  }
  if (typeof value !== "object" || "_jsonata_lambda" in value || "_jsonata_function" in value) return undefined;
  const copy: Record<string, JsonValue> = {};
  for (const [key, each] of Object.entries(value)) {
    if (each === undefined) continue;
    const item = toJson(each);
    if (item === undefined) return undefined;
    define(copy, key, item);
  }
  return copy;
}

// Plain assignment would take `__proto__` for something else.
function define(target: Record<string, JsonValue>, key: string, value: JsonValue): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

function typeOf(value: JsonValue): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
