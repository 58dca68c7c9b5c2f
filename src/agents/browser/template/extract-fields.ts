import { z } from "zod";
import { RowcallError } from "../../../core/errors.ts";
import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { compilePattern } from "../../../core/pattern.ts";
import type { PageSource, PageTask, PageValue } from "../page/in-page/protocol.ts";
import { describeLocators, locatorsSchema, toPageLocators } from "./locators.ts";
import { addProblem, exactlyOne, patternSchema } from "./patterns.ts";
import { render, renderPattern } from "./rendering.ts";
import { columnSchema, type TableShape } from "./table-shape.ts";

/** Rules that turn a text into a value. */
const textRules = {
  type: z.enum(["string", "number", "boolean"]).default("string"),
  pattern: patternSchema.optional().describe("First group, else the whole, of this regular expression is the value"),
  absent: z.array(z.string()).optional().describe('Texts that mean "no value"'),
  required: z.boolean().default(true),
};

/** A field to read. */
export const fieldSchema = z
  .strictObject({
    locator: locatorsSchema.optional(),
    all: locatorsSchema.optional().describe("All elements that are there, as a list"),
    /** In place of the element's text. */
    attribute: z.string().min(1).optional(),
    table: z.string().min(1).optional().describe("Name of a table of the step"),
    row: z.string().min(1).optional(),
    column: columnSchema.optional(),
    /** Rows of tables as a list of objects: by table, the cells to read. Each has `table` and `row` besides. */
    rows: z.record(z.string(), z.record(z.string(), z.strictObject({ ...textRules, column: columnSchema }))).optional(),
    page: z.enum(["text", "url", "title"]).optional(),
    /** In place of a value that is not there; makes the field optional. */
    default: z.json().optional(),
    ...textRules,
  })
  .check(exactlyOne(["locator", "all", "table", "rows", "page"]), (context) => {
    const { table, row, column } = context.value;
    if ((table === undefined) === (row === undefined) && (row === undefined) === (column === undefined)) return;
    addProblem(context, '"table", "row" and "column" go together');
  });

type Field = z.infer<typeof fieldSchema>;
type TextRules = Pick<Field, keyof typeof textRules> & { readonly default?: JsonValue };

/** The page's part of an extract step. */
export function toExtractTask(
  fields: Readonly<Record<string, Field>>,
  tables: Readonly<Record<string, TableShape>>,
  unknownTables: "fail" | "ignore",
  scope: JsonObject,
): PageTask & { readonly kind: "extract" } {
  return {
    kind: "extract",
    fields: Object.entries(fields).map(([name, field]) => ({
      name,
      source: toSource(field, scope),
      required: isRequired(field),
    })),
    tables: render(tables, scope),
    unknownTables,
    maxLength: maxValueLength,
  };
}

/**
 * The value of a field out of what the page answered.
 *
 * @throws RowcallError EXTRACT_EMPTY when it is required and there is none, PAGE_UNEXPECTED when it is not of its type
 */
export function readField(name: string, field: Field, found: PageValue, scope: JsonObject): JsonValue {
  switch (found.found) {
    case "too much":
      throw tooLong(`"${name}"`, found.length);
    case "nothing":
      return found.why === "no row is there" && !isRequired(field)
        ? (field.default ?? [])
        : orAbsent(name, field, found.why);
    case "text":
      return readText(name, field, found.text, scope);
    case "texts":
      return found.texts.map((text) => readText(name, field, text, scope));
    case "rows":
      return found.rows.map(({ table, row, cells }) => {
        const rules = Object.entries(field.rows?.[table] ?? {});
        const values = rules.map(
          ([key, cell]) => [key, readText(`${name}, ${key} of ${row}`, cell, cells[key] ?? "", scope)] as const,
        );
        return { table, row, ...Object.fromEntries(values) };
      });
  }
}

/** Characters that a value read from a page may have, all texts of a list or of rows together. */
export const maxValueLength = 1_000_000;

/** Returns the error for a text on the page that is too long for a value. */
export function tooLong(what: string, length: number): RowcallError {
  const count = (many: number): string => many.toLocaleString("en-GB");
  return new RowcallError(
    "PAGE_UNEXPECTED",
    `${what} has ${count(length)} characters on the page; a value read from a page has at most ${count(maxValueLength)}`,
    { hint: "Read a smaller part of the page: an element in it, or fewer of them." },
  );
}

/** Describes the place of a field in words. */
export function describeSource(source: PageSource): string {
  switch (source.kind) {
    case "element":
    case "elements":
      return describeLocators(source.target);
    case "cell":
      return `row "${source.row}", column ${JSON.stringify(source.column)} of table "${source.table}"`;
    case "rows":
      return `rows of ${source.tables.map((rows) => `"${rows.table}"`).join(", ")}`;
    case "page":
      return "the text of the page";
    case "url":
    case "title":
      return `the page's ${source.kind}`;
  }
}

const absentTexts = ["", "--", "-", "–", "—", "n/a"];

function readText(name: string, rules: TextRules, text: string, scope: JsonObject): JsonValue {
  const absent = rules.absent ?? absentTexts;
  if (absent.some((own) => own.toLowerCase() === text.toLowerCase()))
    return orAbsent(name, rules, `the page shows "${text}"`);
  let value = text;
  if (rules.pattern !== undefined) {
    const pattern = renderPattern(rules.pattern, scope);
    const match = compilePattern(pattern).find(text);
    const picked = match === undefined ? undefined : (match[1] ?? (match.length === 1 ? match[0] : undefined));
    if (picked === undefined)
      return orAbsent(
        name,
        rules,
        `${pattern} is not found in "${text.length > 200 ? `${text.slice(0, 199)}…` : text}"`,
      );
    value = picked.trim();
  }
  if (rules.type === "number") return readNumber(name, value);
  return rules.type === "boolean" ? readBoolean(name, value) : value;
}

function orAbsent(name: string, rules: TextRules, why: string): JsonValue {
  if (rules.default !== undefined) return rules.default;
  if (!rules.required) return null;
  throw new RowcallError("EXTRACT_EMPTY", `Nothing to extract for "${name}": ${why}`, {
    hint: 'If it may be absent, mark the field "required": false in the template.',
    details: { field: name },
  });
}

function readNumber(name: string, text: string): number {
  const bare = text.replaceAll(/,(?=\d{3}(\D|$))/g, "").replaceAll(/\s/g, "");
  if (/^[+-]?\d+(\.\d+)?$/.test(bare)) {
    const number = Number(bare);
    if (Math.abs(number) <= Number.MAX_SAFE_INTEGER) return number;
    throw new RowcallError("PAGE_UNEXPECTED", `"${name}" has more figures than a number holds: "${text}"`, {
      hint: 'Read it as text: leave "type": "number" out.',
      details: { field: name, text },
    });
  }
  throw unlike(name, text, "a number");
}

function readBoolean(name: string, text: string): boolean {
  if (/^(y|yes|true|1|on|available|enabled)$/i.test(text)) return true;
  if (/^(n|no|false|0|off|unavailable|disabled)$/i.test(text)) return false;
  throw unlike(name, text, "a yes or no");
}

function unlike(name: string, text: string, wanted: string): RowcallError {
  return new RowcallError("PAGE_UNEXPECTED", `"${name}" should be ${wanted}, but the page shows "${text}"`, {
    hint: 'Give the field a "pattern" that picks the value out of the text.',
    details: { field: name, text },
  });
}

function isRequired(field: Field): boolean {
  return field.required && field.default === undefined;
}

function toSource(field: Field, scope: JsonObject): PageSource {
  const { locator, all, attribute, table, row, column, rows, page } = field;
  if (locator !== undefined) return { kind: "element", target: toPageLocators(locator, scope), attribute };
  if (all !== undefined) return { kind: "elements", target: toPageLocators(all, scope), attribute };
  if (table !== undefined && row !== undefined && column !== undefined) {
    return { kind: "cell", table, row: render(row, scope), column: render(column, scope) };
  }
  if (rows === undefined) return { kind: page === "url" || page === "title" ? page : "page" };
  const tables = Object.entries(rows).map(([table, cells]) => {
    const columns = Object.entries(cells).map(([key, { column }]) => [key, render(column, scope)] as const);
    return { table, columns: Object.fromEntries(columns) };
  });
  return { kind: "rows", tables };
}
