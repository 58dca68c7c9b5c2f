import { z } from "zod";
import { RowcallError } from "../../core/errors.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { compilePattern } from "../../core/pattern.ts";
import type { PageColumn, PageSource, PageTable, PageTask, PageValue } from "./in-page/protocol.ts";
import { describeLocators, locatorsSchema, toPageLocators, type Locators } from "./locators.ts";
import { exactlyOne, patternSchema } from "./patterns.ts";
import { render, renderPattern } from "./rendering.ts";

/** A column: its header, its headers from top to bottom, or its 1-based place after the row's name. */
export type Column = string | readonly string[] | number;

/** A table that fields are read from. */
export interface TableShape {
  /** Caption, heading or text that stands before the table, or one of its header cells. */
  readonly title?: string | undefined;
  /** Columns it must have; a table with others is another table. */
  readonly columns: readonly Column[];
  readonly optional_columns: readonly Column[];
  /** All rows it may have. */
  readonly rows?: readonly string[] | undefined;
  /** Whether it must be there. @default true */
  readonly required: boolean;
}

/** How a text becomes a value. */
interface TextRules {
  /** @default "string" */
  readonly type: "string" | "number" | "boolean";
  /** First group (else the whole) of this regular expression is the value. */
  readonly pattern?: string | undefined;
  /** Texts that mean "no value". @default "", "--", "-", "–", "—", "n/a" */
  readonly absent?: readonly string[] | undefined;
  /** Whether there must be a value. @default true */
  readonly required: boolean;
}

/** What to read as one cell of each row. */
export interface RowCell extends TextRules {
  readonly column: Column;
}

/** A field to read; exactly one of locator, all, table, rows, page. */
export interface Field extends TextRules {
  readonly locator?: Locators | undefined;
  /** Like `locator`, but all that are there, as a list. */
  readonly all?: Locators | undefined;
  /** In place of the element's text. */
  readonly attribute?: string | undefined;
  /** Name of a table of the step, with `row` and `column`. */
  readonly table?: string | undefined;
  readonly row?: string | undefined;
  readonly column?: Column | undefined;
  /** Rows of tables as a list of objects: by table, the cells to read. Each has `table` and `row` besides. */
  readonly rows?: Readonly<Record<string, Readonly<Record<string, RowCell>>>> | undefined;
  readonly page?: "text" | "url" | "title" | undefined;
  /** In place of a value that is not there; makes the field optional. */
  readonly default?: JsonValue | undefined;
}

const columnSchema: z.ZodType<Column> = z.union([
  z.string().min(1),
  z.array(z.string().min(1)).min(1),
  z.int().positive(),
]);

const textRules = {
  type: z.enum(["string", "number", "boolean"]).default("string"),
  pattern: patternSchema.optional().describe("First group, else the whole, of this regular expression is the value"),
  absent: z.array(z.string()).optional().describe('Texts that mean "no value"'),
  required: z.boolean().default(true),
};

/** A table's shape. */
export const tableSchema: z.ZodType<TableShape> = z.strictObject({
  title: z.string().min(1).optional(),
  columns: z.array(columnSchema).default([]),
  optional_columns: z.array(columnSchema).default([]),
  rows: z.array(z.string()).optional().describe("All rows it may have"),
  required: z.boolean().default(true),
});

/** A field. */
export const fieldSchema: z.ZodType<Field> = z
  .strictObject({
    locator: locatorsSchema.optional(),
    all: locatorsSchema.optional().describe("All elements that are there, as a list"),
    attribute: z.string().min(1).optional(),
    table: z.string().min(1).optional().describe("Name of a table of the step"),
    row: z.string().min(1).optional(),
    column: columnSchema.optional(),
    rows: z.record(z.string(), z.record(z.string(), z.strictObject({ ...textRules, column: columnSchema }))).optional(),
    page: z.enum(["text", "url", "title"]).optional(),
    default: z.json().optional(),
    ...textRules,
  })
  .check(exactlyOne<Field>(["locator", "all", "table", "rows", "page"]), (context) => {
    const { table, row, column } = context.value;
    if ((table === undefined) === (row === undefined) && (row === undefined) === (column === undefined)) return;
    context.issues.push({ code: "custom", input: context.value, message: '"table", "row" and "column" go together' });
  });

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
    tables: Object.fromEntries(Object.entries(tables).map(([name, shape]) => [name, toPageTable(shape, scope)])),
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

/** What a page shows where a value should be is too much for one. */
export function tooLong(what: string, length: number): RowcallError {
  const count = (many: number): string => many.toLocaleString("en-GB");
  return new RowcallError(
    "PAGE_UNEXPECTED",
    `${what} has ${count(length)} characters on the page; a value read from a page has at most ${count(maxValueLength)}`,
    { hint: "Read a smaller part of the page: an element in it, or fewer of them." },
  );
}

/** Where a field is, in words. */
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

function readText(
  name: string,
  rules: TextRules & { readonly default?: JsonValue | undefined },
  text: string,
  scope: JsonObject,
): JsonValue {
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

function orAbsent(
  name: string,
  rules: TextRules & { readonly default?: JsonValue | undefined },
  why: string,
): JsonValue {
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
    return { kind: "cell", table, row: render(row, scope), column: toPageColumn(column, scope) };
  }
  if (rows === undefined) return { kind: page === "url" || page === "title" ? page : "page" };
  const tables = Object.entries(rows).map(([name, cells]) => {
    const columns = Object.entries(cells).map(([key, cell]) => [key, toPageColumn(cell.column, scope)] as const);
    return { table: name, columns: Object.fromEntries(columns) };
  });
  return { kind: "rows", tables };
}

function toPageTable(shape: TableShape, scope: JsonObject): PageTable {
  const { title, columns, optional_columns, rows, required } = shape;
  return {
    title: title === undefined ? undefined : render(title, scope),
    columns: columns.map((column) => toPageColumn(column, scope)),
    optionalColumns: optional_columns.map((column) => toPageColumn(column, scope)),
    rows: rows === undefined ? undefined : render(rows, scope),
    required,
  };
}

function toPageColumn(column: Column, scope: JsonObject): PageColumn {
  return typeof column === "number" ? column : render([column].flat(), scope);
}
