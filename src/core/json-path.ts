import { query } from "jsonpath-rfc9535";
import parse from "jsonpath-rfc9535/parser";
import type { JsonValue } from "./json.ts";

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
