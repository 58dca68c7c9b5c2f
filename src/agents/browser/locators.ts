import { z } from "zod";
import type { JsonObject } from "../../core/json.ts";
import type { PageLocator, TextMatch } from "./in-page/protocol.ts";
import { exactlyOne, patternFault } from "./patterns.ts";
import { render, renderPattern } from "./rendering.ts";

/** One way to find an element; exactly one of the first six keys. */
export interface Locator {
  /** ARIA role, explicit or natural, such as `button`. */
  readonly role?: string | undefined;
  readonly label?: string | undefined;
  readonly placeholder?: string | undefined;
  readonly text?: string | undefined;
  readonly test_id?: string | undefined;
  readonly css?: string | undefined;
  /** Accessible name; with `role` only. */
  readonly name?: string | undefined;
  /** How texts are compared. @default "whole"; "contains" for `text` */
  readonly match?: TextMatch | undefined;
  /** Look only inside of this. */
  readonly within?: Locators | undefined;
  /** 1-based: which of several. */
  readonly nth?: number | undefined;
  /** Hidden elements count too. @default false */
  readonly hidden?: boolean | undefined;
}

/** One locator, or several of which the first that finds something counts. */
export type Locators = Locator | readonly Locator[];

const kinds = ["role", "label", "placeholder", "text", "test_id", "css"] as const;

const locatorSchema: z.ZodType<Locator> = z
  .strictObject({
    role: z
      .string()
      .min(1)
      .optional()
      .describe("ARIA role, explicit or natural: button, link, textbox, combobox, row …"),
    label: z.string().min(1).optional().describe("Label of a form field; the label need not be tied to the field"),
    placeholder: z.string().min(1).optional(),
    text: z.string().min(1).optional().describe("Text that the element shows"),
    test_id: z.string().min(1).optional().describe("Value of data-testid"),
    css: z.string().min(1).optional().describe("CSS selector"),
    name: z.string().min(1).optional().describe("Accessible name, with role"),
    match: z.enum(["whole", "contains", "exact", "regex"]).optional(),
    within: z
      .lazy(() => locatorsSchema)
      .optional()
      .describe("Look only inside of this"),
    nth: z.int().positive().optional().describe("1-based: which of several"),
    hidden: z.boolean().optional().describe("Hidden elements count too"),
  })
  .check(exactlyOne<Locator>(kinds), (context) => {
    const { name, role, match } = context.value;
    const pattern = match === "regex" ? comparedText(context.value) : undefined;
    const fault = pattern === undefined ? undefined : patternFault(pattern);
    if (fault !== undefined) context.issues.push({ code: "custom", input: context.value, message: fault });
    if (name !== undefined && role === undefined)
      context.issues.push({
        code: "custom",
        input: context.value,
        path: ["name"],
        message: "name goes with role only",
      });
  });

/** One locator or a list of fallbacks in order. */
export const locatorsSchema: z.ZodType<Locators> = z.union([locatorSchema, z.array(locatorSchema).min(1)]);

/** The locators with their variables filled in, in the words of the page script. */
export function toPageLocators(locators: Locators, scope: JsonObject): readonly PageLocator[] {
  return asList(locators).map((locator) => {
    const by = kinds.find((kind) => locator[kind] !== undefined) ?? "css";
    const { name, match, within, nth, hidden } = locator;
    const compared = match === "regex" ? renderPattern : render<string>;
    return {
      by,
      value: (by === "role" ? render<string> : compared)(locator[by] ?? "", scope),
      name: name === undefined ? undefined : compared(name, scope),
      match,
      within: within === undefined ? undefined : toPageLocators(within, scope),
      nth,
      hidden,
    };
  });
}

/** Locators in words: `button "Proceed" or css "#BtnsAddressTwo"`. */
export function describeLocators(locators: readonly PageLocator[]): string {
  return locators
    .map(({ by, value, name, match, within, nth }) => {
      const what =
        by === "role" ? `${value}${name === undefined ? "" : ` "${name}"`}` : `${by.replace("_", " ")} "${value}"`;
      const how = match === undefined ? "" : ` (${match})`;
      return `${what}${how}${nth === undefined ? "" : ` number ${nth}`}${within === undefined ? "" : ` within ${describeLocators(within)}`}`;
    })
    .join(" or ");
}

/** What `match` says how to compare. */
function comparedText(locator: Locator): string | undefined {
  return locator.role === undefined
    ? (locator.label ?? locator.placeholder ?? locator.text ?? locator.test_id)
    : locator.name;
}

function asList(locators: Locators): readonly Locator[] {
  return "length" in locators ? locators : [locators];
}
