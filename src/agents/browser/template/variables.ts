import { z } from "zod";
import { RowcallError } from "../../../core/errors.ts";
import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { compilePattern } from "../../../core/pattern.ts";
import { patternSchema } from "./patterns.ts";

/** The declaration of a template's variable. */
export const variableSchema = z.strictObject({
  description: z.string().optional(),
  required: z.boolean().default(false),
  /** Takes the place of a missing or empty value. */
  default: z.json().optional(),
  /** A known form of the value, which is brought into its usual spelling. */
  format: z.enum(["uk-postcode"]).optional(),
  pattern: patternSchema.optional().describe("Regular expression that the value must match"),
  /** Spaces around the value are cut off. */
  trim: z.boolean().default(true),
});

type VariableDeclaration = z.infer<typeof variableSchema>;

/**
 * The values of a template's variables for one row. An optional variable without a value is the empty text, so that
 * sections around it are left out.
 *
 * @param declared - undefined when the template declares nothing: then whatever is given goes in as it is
 * @throws RowcallError TEMPLATE_RENDER naming a required variable that is missing, ROW_INVALID for a value of the wrong form
 */
export function readVariables(
  declared: Readonly<Record<string, VariableDeclaration>> | undefined,
  given: JsonObject,
): JsonObject {
  if (declared === undefined) return given;
  return Object.fromEntries(
    Object.entries(declared).map(([name, declaration]) => [
      name,
      readVariable(name, declaration, Object.hasOwn(given, name) ? given[name] : undefined),
    ]),
  );
}

function readVariable(name: string, declaration: VariableDeclaration, given: JsonValue | undefined): JsonValue {
  const trimmed = typeof given === "string" && declaration.trim ? given.trim() : given;
  const value = trimmed === undefined || trimmed === null || trimmed === "" ? declaration.default : trimmed;
  if (value === undefined || value === null || value === "") {
    if (!declaration.required) return "";
    throw new RowcallError("TEMPLATE_RENDER", `Template variable "${name}" is missing`, {
      hint: `Map a column to "${name}", or give it a default.`,
      details: { variable: name },
    });
  }
  const formatted = declaration.format === undefined ? value : formats[declaration.format](name, wordsOf(value));
  if (declaration.pattern !== undefined && !compilePattern(declaration.pattern).test(wordsOf(formatted))) {
    throw new RowcallError("ROW_INVALID", `${name} ${JSON.stringify(value)} does not match ${declaration.pattern}`, {
      hint: declaration.description ?? "Correct the value in the input.",
      details: { variable: name },
    });
  }
  return formatted;
}

function wordsOf(value: JsonValue): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const formats: Readonly<Record<NonNullable<VariableDeclaration["format"]>, (name: string, value: string) => string>> = {
  "uk-postcode": (name, value) => {
    const letters = value.toUpperCase().replaceAll(/\s/g, "");
    const match = /^([A-Z]{1,2}\d[A-Z\d]?|GIR)(\d[A-Z]{2})$/.exec(letters);
    if (match !== null) return `${match[1]} ${match[2]}`;
    throw new RowcallError("ROW_INVALID", `${name} ${JSON.stringify(value)} is not a UK postcode`, {
      hint: 'A UK postcode looks like "SW1A 1AA". Correct it in the input.',
      details: { variable: name },
    });
  },
};
