import { z } from "zod";
import type { JsonObject } from "../../../core/json.ts";
import type { PageTarget } from "../page/in-page/protocol.ts";
import { addProblem, exactlyOne, patternFault } from "./patterns.ts";
import { render, renderPattern } from "./rendering.ts";

const text = z.string().min(1).optional();

/** Ways to find an element; a locator has exactly one of these. A new one also gets a case in `candidates` of `in-page/finder.ts`. */
const kinds = {
  role: text.describe("ARIA role, explicit or natural: button, link, textbox, combobox, row …"),
  label: text.describe("Label of a form field; the label need not be tied to the field"),
  placeholder: text,
  text: text.describe("Text that the element shows"),
  test_id: text.describe("Value of data-testid"),
  css: text.describe("CSS selector"),
};
const kindNames = Object.keys(kinds) as (keyof typeof kinds)[];

const plainLocator = z.strictObject({
  ...kinds,
  name: text.describe("Accessible name, with role"),
  /** Comparison of texts. @default "whole"; "contains" for `text` */
  match: z.enum(["whole", "contains", "exact", "regex"]).optional(),
  nth: z.int().positive().optional().describe("1-based: which of several"),
  hidden: z.boolean().optional().describe("Hidden elements count too"),
});

/** One way to find an element. */
export interface Locator extends Readonly<z.infer<typeof plainLocator>> {
  readonly within?: Locators;
}

/** One locator, or several of which the first that finds something counts. */
export type Locators = Locator | readonly Locator[];

const locatorSchema: z.ZodType<Locator> = plainLocator
  .extend({
    within: z
      .lazy(() => locatorsSchema)
      .optional()
      .describe("Look only inside of this"),
  })
  .check(exactlyOne(kindNames), (context) => {
    const { name, role, match } = context.value;
    const pattern = match === "regex" ? comparedText(context.value) : undefined;
    const fault = pattern === undefined ? undefined : patternFault(pattern);
    if (fault !== undefined) addProblem(context, fault);
    if (name !== undefined && role === undefined) addProblem(context, "name goes with role only", ["name"]);
  });

/** One locator or a list of fallbacks in order. */
export const locatorsSchema: z.ZodType<Locators> = z.union([locatorSchema, z.array(locatorSchema).min(1)]);

/** The locators with their variables filled in, in the words of the page script. */
export function toPageLocators(locators: Locators, scope: JsonObject): PageTarget {
  return [locators].flat().map((locator) => {
    const by = kindNames.find((kind) => locator[kind] !== undefined) ?? "css";
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
export function describeLocators(locators: PageTarget): string {
  return locators
    .map(({ by, value, name, match, within, nth }) => {
      const what =
        by === "role" ? `${value}${name === undefined ? "" : ` "${name}"`}` : `${by.replace("_", " ")} "${value}"`;
      const how = match === undefined ? "" : ` (${match})`;
      const which = nth === undefined ? "" : ` number ${nth}`;
      return what + how + which + (within === undefined ? "" : ` within ${describeLocators(within)}`);
    })
    .join(" or ");
}

/** Returns the text that `match` is about. */
function comparedText(locator: Locator): string | undefined {
  return locator.role === undefined
    ? (locator.label ?? locator.placeholder ?? locator.text ?? locator.test_id)
    : locator.name;
}
