import type { JsonObject, JsonValue } from "../../core/json.ts";

/** A state machine's definition in Amazon States Language. */
export interface Definition {
  readonly Comment: string;
  readonly QueryLanguage: "JSONata";
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

/** One state; its fields are those of the language. */
export type State = JsonObject & { readonly Type: string };

/** A JSONata expression as a field's value; the result takes its place. */
export function expression(jsonata: string): string {
  return `{% ${jsonata.replace(/\s+/g, " ").trim()} %}`;
}

/** A text in JSONata. */
export function literal(value: JsonValue): string {
  return JSON.stringify(value);
}

/** Calls of services that Step Functions offers itself, in the partition of the machine. */
export function integration(partition: string, name: string): string {
  return `arn:${partition}:states:::${name}`;
}
