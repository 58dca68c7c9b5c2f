import { z } from "zod";
import { RowcallError } from "../../../core/errors.ts";
import type { JsonArray, JsonObject, JsonValue } from "../../../core/json.ts";
import { compilePattern } from "../../../core/pattern.ts";
import { conditionSchema, decide, inside, type Condition } from "./conditions.ts";
import { addProblem, exactlyOne, patternSchema } from "./patterns.ts";
import { lookUp, render, renderPattern } from "./rendering.ts";

const paths = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

/** Sources of a field's value; an expression has exactly one of these. A new one also gets its line in `evaluate`. */
const kinds = ["value", "from", "max", "min", "count", "condition", "first", "filter", "pattern"] as const;

const plainExpression = z.strictObject({
  value: z.json().optional(),
  from: z.string().min(1).optional().describe("Path of something that is there already; null when it is not"),
  max: paths.optional().describe("Greatest number at these paths; null when there is none"),
  min: paths.optional().describe("Least number at these paths; null when there is none"),
  count: z.string().min(1).optional().describe("How many items a list has"),
  condition: conditionSchema.optional().describe("true when it holds"),
  filter: z.string().min(1).optional().describe("A list, of which the items that meet `where` stay"),
  where: conditionSchema.optional(),
  pattern: patternSchema
    .optional()
    .describe("First group, else the whole, of this regular expression; `otherwise` when it is not found"),
  in: z.string().optional().describe("The text that `pattern` is looked for in"),
  otherwise: z.json().optional(),
});

/** The way to work out a field. */
export interface Expression extends Readonly<z.infer<typeof plainExpression>> {
  readonly first?: readonly Case[];
}

/** An expression with the condition under which it counts; without one it always does. */
export interface Case extends Expression {
  readonly when?: Condition;
}

const anyExpression = plainExpression.extend({
  first: z
    .lazy(() => z.array(caseSchema).min(1))
    .optional()
    .describe("The first case whose `when` holds"),
});

const caseSchema: z.ZodType<Case> = anyExpression
  .extend({ when: conditionSchema.optional() })
  .check(exactlyOne(kinds), paired);

/** An expression. */
export const expressionSchema: z.ZodType<Expression> = anyExpression.check(exactlyOne(kinds), paired);

function paired(context: z.core.ParsePayload<Expression>): void {
  const { filter, where, pattern, in: text, otherwise, first } = context.value;
  if ((filter === undefined) !== (where === undefined)) addProblem(context, '"filter" and "where" go together');
  if ((pattern === undefined) !== (text === undefined)) addProblem(context, '"pattern" and "in" go together');
  if (otherwise !== undefined && pattern === undefined && first === undefined)
    addProblem(context, '"otherwise" goes with "pattern" or "first"');
}

/**
 * Works an expression out.
 *
 * @throws RowcallError EXTRACT_EMPTY when a pattern is not found or no case holds, and there is no `otherwise`
 */
export function evaluate(expression: Expression, name: string, scope: JsonObject): JsonValue {
  const { value, from, max, min, count, condition, first, filter, where, pattern, otherwise } = expression;
  if (value !== undefined) return render(value, scope);
  if (from !== undefined) return lookUp(from, scope) ?? null;
  if (max !== undefined) return extreme(max, Math.max, scope);
  if (min !== undefined) return extreme(min, Math.min, scope);
  if (count !== undefined) return listAt(count, scope).length;
  if (condition !== undefined) return decided(condition, name, scope);
  if (filter !== undefined && where !== undefined)
    return listAt(filter, scope).filter((item) => decided(where, name, inside(item, scope)));
  if (first !== undefined) {
    const found = first.find((one) => one.when === undefined || decided(one.when, name, scope));
    if (found !== undefined) return evaluate(found, name, scope);
    return otherwise !== undefined ? render(otherwise, scope) : nothing(name, "no case holds");
  }
  const text = render(expression.in ?? "", scope);
  const match = compilePattern(renderPattern(pattern ?? "", scope)).find(text);
  if (match !== undefined) return match[1] ?? match[0] ?? "";
  return otherwise !== undefined ? render(otherwise, scope) : nothing(name, `${pattern} is not found in "${text}"`);
}

function nothing(name: string, why: string): never {
  throw new RowcallError("EXTRACT_EMPTY", `"${name}" cannot be set: ${why}`, {
    hint: 'If it may be absent, give the template an "otherwise".',
    details: { field: name },
  });
}

function decided(condition: Condition, name: string, scope: JsonObject): boolean {
  const holds = decide(condition, scope);
  if (holds !== undefined) return holds;
  throw new RowcallError("STEP_FAILED", `"${name}" depends on what the page shows`, {
    hint: "Set it inside of an if step.",
  });
}

function extreme(
  at: string | readonly string[],
  pick: (...numbers: number[]) => number,
  scope: JsonObject,
): number | null {
  const numbers = [at]
    .flat()
    .flatMap((path) => listAt(path, scope))
    .filter((value) => typeof value === "number");
  return numbers.length === 0 ? null : pick(...numbers);
}

function listAt(path: string, scope: JsonObject): JsonArray {
  const value = lookUp(path, scope);
  if (Array.isArray(value)) return value as JsonArray;
  return value === undefined || value === null ? [] : [value];
}
