import jsonata from "jsonata";

/** A JSONata expression of a definition, parsed. */
export interface Expression {
  /** Without its braces, as AWS quotes it. */
  readonly source: string;
  readonly compiled: jsonata.Expression;
  /** Names after `$states.` that it reads: `input`, `result`. */
  readonly statesFields: ReadonlySet<string>;
  /** Variables and functions that it names, its own ones included. */
  readonly names: ReadonlySet<string>;
}

const parsed = new Map<string, Expression>();

/**
 * Parses an expression in its `{% %}`; each text once.
 *
 * @throws JSONata's own error for a text that is no expression
 */
export function parseExpression(text: string): Expression {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const source = text.slice(2, -2).trim();
  const compiled = jsonata(source);
  const statesFields = new Set<string>();
  const names = new Set<string>();
  visit(compiled.ast(), (node) => {
    if (node["type"] === "variable") names.add(String(node["value"]));
    if (node["type"] !== "path" || !Array.isArray(node["steps"])) return;
    const [first, second] = node["steps"] as Record<string, unknown>[];
    if (first?.["type"] === "variable" && first["value"] === "states" && second?.["type"] === "name")
      statesFields.add(String(second["value"]));
  });
  const expression = { source, compiled, statesFields, names };
  parsed.set(text, expression);
  return expression;
}

function visit(node: unknown, see: (node: Record<string, unknown>) => void): void {
  if (Array.isArray(node)) {
    for (const each of node) visit(each, see);
  } else if (typeof node === "object" && node !== null) {
    see(node as Record<string, unknown>);
    for (const each of Object.values(node)) visit(each, see);
  }
}
