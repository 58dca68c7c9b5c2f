import { isJsonObject } from "./json.ts";

/**
 * What an error and its cause say, as AWS tells them of functions and executions: `ValueError: no such postcode`; empty when they say
 * nothing. A cause may be JSON: of Lambda an object with `errorMessage`, of an execution that started another one the other's
 * description, whose cause may be either again.
 */
export function failureWords(error: string, cause: string): string {
  return joined(error, readableCause(cause));
}

function readableCause(cause: string): string {
  const parsed = parse(cause);
  if (!isJsonObject(parsed)) return cause.trim();
  const { errorMessage, Error: inner, Cause: innerCause } = parsed;
  if (typeof errorMessage === "string") return joined(textOf(parsed["errorType"]), errorMessage);
  if (typeof inner === "string" || typeof innerCause === "string")
    return joined(textOf(inner), readableCause(textOf(innerCause)));
  return cause.trim();
}

// Without saying the error twice.
function joined(error: string, what: string): string {
  if (error === "" || what === "") return error + what;
  return what === error || what.startsWith(`${error}: `) ? what : `${error}: ${what}`;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
