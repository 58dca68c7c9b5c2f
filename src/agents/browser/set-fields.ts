import { z } from "zod";
import { RowcallError } from "../../core/errors.ts";
import type { JsonArray, JsonObject, JsonValue } from "../../core/json.ts";
import { compilePattern } from "../../core/pattern.ts";
import { conditionSchema, decide, inside, type Condition } from "./conditions.ts";
import { exactlyOne, patternSchema } from "./patterns.ts";
import { render, renderPattern } from "./rendering.ts";
import { lookUp } from "./values.ts";

/** How a field is worked out; exactly one of the keys up to `in`. */
export interface Expression {
  /** A value; variables in its texts are filled in. */
  readonly value?: JsonValue | undefined;
  /** Something that is there already; null when it is not. */
  readonly from?: string | undefined;
  /** Greatest number at these paths; null when there is none. */
  readonly max?: string | readonly string[] | undefined;
  readonly min?: string | readonly string[] | undefined;
  /** How many items a list has. */
  readonly count?: string | undefined;
  /** Whether a condition on values holds. */
  readonly condition?: Condition | undefined;
  /** The first case whose condition holds. */
  readonly first?: readonly Case[] | undefined;
  /** The items of a list that meet `where`. */
  readonly filter?: string | undefined;
  readonly where?: Condition | undefined;
  /** First group (else the whole) of a regular expression, found in the text `in`; `otherwise` when it is not found. */
  readonly pattern?: string | undefined;
  readonly in?: string | undefined;
  readonly otherwise?: JsonValue | undefined;
}

/** An expression with the condition under which it counts; without one it always does. */
export interface Case extends Expression {
  readonly when?: Condition | undefined;
}

const paths = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

const shape = {
  value: z.json().optional(),
  from: z.string().min(1).optional().describe("Path of something that is there already"),
  max: paths.optional().describe("Greatest number at these paths"),
  min: paths.optional().describe("Least number at these paths"),
  count: z.string().min(1).optional().describe("How many items a list has"),
  condition: conditionSchema.optional().describe("true when it holds"),
  first: z
    .lazy(() => z.array(caseSchema).min(1))
    .optional()
    .describe("The first case whose `when` holds"),
  filter: z.string().min(1).optional().describe("A list, of which the items that meet `where` stay"),
  where: conditionSchema.optional(),
  pattern: patternSchema.optional(),
  in: z.string().optional().describe("The text that `pattern` is looked for in"),
  otherwise: z.json().optional(),
};

const keys = ["value", "from", "max", "min", "count", "condition", "first", "filter", "pattern"] as const;

const caseSchema: z.ZodType<Case> = z
  .strictObject({ ...shape, when: conditionSchema.optional() })
  .check(exactlyOne<Case>(keys), paired);

/** An expression. */
export const expressionSchema: z.ZodType<Expression> = z
  .strictObject(shape)
  .check(exactlyOne<Expression>(keys), paired);

function paired(context: z.core.ParsePayload<Expression>): void {
  const { filter, where, pattern, otherwise } = context.value;
  const problem = (message: string): void =>
    void context.issues.push({ code: "custom", input: context.value, message });
  if ((filter === undefined) !== (where === undefined)) problem('"filter" and "where" go together');
  if ((pattern === undefined) !== (context.value.in === undefined)) problem('"pattern" and "in" go together');
  if (otherwise !== undefined && pattern === undefined && context.value.first === undefined)
    problem('"otherwise" goes with "pattern" or "first"');
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
