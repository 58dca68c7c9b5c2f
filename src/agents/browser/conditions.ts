import { z } from "zod";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { compilePattern } from "../../core/pattern.ts";
import type { PageCondition } from "./in-page/protocol.ts";
import { describeLocators, locatorsSchema, toPageLocators, type Locators } from "./locators.ts";
import { exactlyOne, patternSchema } from "./patterns.ts";
import { render, renderPattern } from "./rendering.ts";
import { lookUp } from "./values.ts";

/** Something that holds or not; exactly one of the keys up to `value`, where `value` takes one of the comparisons below it. */
export interface Condition {
  readonly visible?: Locators | undefined;
  readonly hidden?: Locators | undefined;
  readonly enabled?: Locators | undefined;
  /** The page shows this text. */
  readonly text?: string | undefined;
  /** Regular expression for the page's address. */
  readonly url?: string | undefined;
  /** Regular expression for the page's title. */
  readonly title?: string | undefined;
  readonly all?: readonly Condition[] | undefined;
  readonly any?: readonly Condition[] | undefined;
  readonly not?: Condition | undefined;
  /** Some item of the list at `value` meets the condition; the item's own keys are variables in it. */
  readonly some?: string | undefined;
  readonly where?: Condition | undefined;
  /** Name of a variable or of something extracted; dots reach inside. */
  readonly value?: string | undefined;
  readonly equals?: JsonValue | undefined;
  /** Regular expression. */
  readonly matches?: string | undefined;
  /** Absent, null, empty text or empty list. */
  readonly empty?: boolean | undefined;
  readonly at_least?: number | undefined;
  readonly at_most?: number | undefined;
}

const comparisons = ["equals", "matches", "empty", "at_least", "at_most"] as const;

/** A condition. */
export const conditionSchema: z.ZodType<Condition> = z.lazy(() =>
  z
    .strictObject({
      visible: locatorsSchema.optional(),
      hidden: locatorsSchema.optional(),
      enabled: locatorsSchema.optional(),
      text: z.string().min(1).optional().describe("The page shows this text"),
      url: patternSchema.optional().describe("Regular expression for the page's address"),
      title: patternSchema.optional().describe("Regular expression for the page's title"),
      all: z.array(conditionSchema).min(1).optional(),
      any: z.array(conditionSchema).min(1).optional(),
      not: conditionSchema.optional(),
      some: z.string().min(1).optional().describe("A list of which some item meets `where`"),
      where: conditionSchema.optional(),
      value: z.string().min(1).optional().describe("A variable or something extracted; dots reach inside"),
      equals: z.json().optional(),
      matches: patternSchema.optional(),
      empty: z.boolean().optional(),
      at_least: z.number().optional(),
      at_most: z.number().optional(),
    })
    .check(
      exactlyOne<Condition>([
        "visible",
        "hidden",
        "enabled",
        "text",
        "url",
        "title",
        "all",
        "any",
        "not",
        "some",
        "value",
      ]),
      (context) => {
        const { value, some, where } = context.value;
        const given = comparisons.filter((key) => context.value[key] !== undefined);
        const problem = (message: string): void =>
          void context.issues.push({ code: "custom", input: context.value, message });
        if (value !== undefined && given.length !== 1)
          problem(`"value" needs exactly one of ${comparisons.join(", ")}`);
        if (value === undefined && given.length > 0) problem(`"${given.join('", "')}" goes with "value" only`);
        if ((some === undefined) !== (where === undefined)) problem('"some" and "where" go together');
      },
    ),
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
