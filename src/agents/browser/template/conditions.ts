import { z } from "zod";
import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { compilePattern } from "../../../core/pattern.ts";
import type { PageCondition } from "../page/in-page/protocol.ts";
import { describeLocators, locatorsSchema, toPageLocators } from "./locators.ts";
import { addProblem, exactlyOne, patternSchema } from "./patterns.ts";
import { lookUp, render, renderPattern } from "./rendering.ts";

/** The subject of a condition, which has exactly one of these. */
const kinds = ["visible", "hidden", "enabled", "text", "url", "title", "all", "any", "not", "some", "value"] as const;
/** Comparisons of the value at `value`. */
const comparisons = ["equals", "matches", "empty", "at_least", "at_most"] as const;

const plainCondition = z.strictObject({
  visible: locatorsSchema.optional(),
  hidden: locatorsSchema.optional(),
  enabled: locatorsSchema.optional(),
  text: z.string().min(1).optional().describe("The page shows this text"),
  url: patternSchema.optional().describe("Regular expression for the page's address"),
  title: patternSchema.optional().describe("Regular expression for the page's title"),
  some: z
    .string()
    .min(1)
    .optional()
    .describe("A list of which some item meets `where`, in which the item's own keys are variables"),
  value: z.string().min(1).optional().describe("A variable or something extracted; dots reach inside"),
  equals: z.json().optional(),
  matches: patternSchema.optional().describe("Regular expression"),
  empty: z.boolean().optional().describe("Absent, null, empty text or empty list"),
  at_least: z.number().optional(),
  at_most: z.number().optional(),
});

/** Something that holds or not. */
export interface Condition extends Readonly<z.infer<typeof plainCondition>> {
  readonly all?: readonly Condition[];
  readonly any?: readonly Condition[];
  readonly not?: Condition;
  readonly where?: Condition;
}

/** A condition. */
export const conditionSchema: z.ZodType<Condition> = z.lazy(() =>
  plainCondition
    .extend({
      all: z.array(conditionSchema).min(1).optional(),
      any: z.array(conditionSchema).min(1).optional(),
      not: conditionSchema.optional(),
      where: conditionSchema.optional(),
    })
    .check(exactlyOne(kinds), (context) => {
      const { value, some, where } = context.value;
      const given = comparisons.filter((key) => context.value[key] !== undefined);
      if (value !== undefined && given.length !== 1)
        addProblem(context, `"value" needs exactly one of ${comparisons.join(", ")}`);
      if (value === undefined && given.length > 0)
        addProblem(context, `"${given.join('", "')}" goes with "value" only`);
      if ((some === undefined) !== (where === undefined)) addProblem(context, '"some" and "where" go together');
    }),
);

/** The condition with variables filled in and everything decided that the page need not be asked for. */
export function toPageCondition(condition: Condition, scope: JsonObject): PageCondition {
  const { visible, hidden, enabled, text, url, title, all, any, not } = condition;
  if (visible !== undefined) return { kind: "visible", target: toPageLocators(visible, scope) };
  if (hidden !== undefined) return { kind: "hidden", target: toPageLocators(hidden, scope) };
  if (enabled !== undefined) return { kind: "enabled", target: toPageLocators(enabled, scope) };
  if (text !== undefined) return { kind: "visible", target: toPageLocators({ text }, scope) };
  if (url !== undefined) return { kind: "url", pattern: renderPattern(url, scope) };
  if (title !== undefined) return { kind: "title", pattern: renderPattern(title, scope) };
  if (not !== undefined) return negate(toPageCondition(not, scope));
  if (all !== undefined) return combine("all", all, scope);
  if (any !== undefined) return combine("any", any, scope);
  return { kind: "known", holds: holdsHere(condition, scope) };
}

/**
 * Decides a condition that does not concern the page.
 *
 * @returns undefined when the page has to be asked
 */
export function decide(condition: Condition, scope: JsonObject): boolean | undefined {
  const inPage = toPageCondition(condition, scope);
  return inPage.kind === "known" ? inPage.holds : undefined;
}

/** A condition in words. */
export function describeCondition(condition: PageCondition): string {
  switch (condition.kind) {
    case "visible":
    case "hidden":
    case "enabled":
      return `${describeLocators(condition.target)} is ${condition.kind}`;
    case "url":
    case "title":
      return `the page's ${condition.kind === "url" ? "address" : "title"} matches ${condition.pattern}`;
    case "all":
      return condition.of.map(describeCondition).join(" and ");
    case "any":
      return condition.of.map(describeCondition).join(" or ");
    case "not":
      return `not (${describeCondition(condition.of)})`;
    case "known":
      return condition.holds ? "a value that fits" : "a value that does not fit";
  }
}

function holdsHere(condition: Condition, scope: JsonObject): boolean {
  const { some, where, value = "", equals, matches, empty, at_least, at_most } = condition;
  if (some !== undefined && where !== undefined) {
    const items = lookUp(some, scope);
    return Array.isArray(items) && items.some((item: JsonValue) => decide(where, inside(item, scope)) === true);
  }
  const found = lookUp(value, scope) ?? null;
  if (empty !== undefined) return isEmpty(found) === empty;
  if (equals !== undefined) return same(found, render(equals, scope));
  if (matches !== undefined)
    return typeof found !== "object" && compilePattern(renderPattern(matches, scope)).test(String(found));
  if (at_least !== undefined) return typeof found === "number" && found >= at_least;
  return typeof found === "number" && at_most !== undefined && found <= at_most;
}

/** The scope inside of a list's item: its own keys first. */
export function inside(item: JsonValue, scope: JsonObject): JsonObject {
  return typeof item === "object" && item !== null && !Array.isArray(item)
    ? { ...scope, ...(item as JsonObject) }
    : { ...scope, item };
}

function isEmpty(value: JsonValue): boolean {
  return value === null || value === "" || (Array.isArray(value) && value.length === 0);
}

function same(a: JsonValue, b: JsonValue): boolean {
  return typeof a === "object" || typeof b === "object"
    ? JSON.stringify(a) === JSON.stringify(b)
    : String(a) === String(b);
}

function negate(condition: PageCondition): PageCondition {
  return condition.kind === "known" ? { kind: "known", holds: !condition.holds } : { kind: "not", of: condition };
}

function combine(kind: "all" | "any", conditions: readonly Condition[], scope: JsonObject): PageCondition {
  const of = conditions.map((condition) => toPageCondition(condition, scope));
  // One part that is known to fail decides "all", one that is known to hold decides "any".
  if (of.some((part) => part.kind === "known" && part.holds === (kind === "any")))
    return { kind: "known", holds: kind === "any" };
  const open = of.filter((part) => part.kind !== "known");
  return open.length === 0 ? { kind: "known", holds: kind === "all" } : { kind, of: open };
}
