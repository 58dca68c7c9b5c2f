import { admit } from "../core/admit.ts";
import { failedOutcome, type FailedOutcome } from "../core/attempt.ts";
import type { AgentDefinition, AgentInput } from "../core/agent.ts";
import type { InputMapping, Transformation } from "../core/batch.ts";
import { RowcallError, messageOf } from "../core/errors.ts";
import {
  firstAt,
  requireJsonPath,
  isJsonObject,
  parseJson,
  replaceDigits,
  setOwn,
  type JsonObject,
  type JsonValue,
} from "../core/json.ts";
import { renderText, variablesOf } from "../core/render.ts";
import type { Row } from "../core/row.ts";
import {
  compileSchema,
  formatProblems,
  problemsError,
  repeatedNames,
  suggest,
  type Problem,
  type Validate,
} from "../core/schema.ts";

/** A row as agent input, or why it cannot be one. */
export type Mapped = { readonly input: AgentInput } | { readonly failure: FailedOutcome };

/** Maps one row. */
export type MapInput = (row: Row) => Mapped;

interface Field {
  readonly name: string;
  readonly required: boolean;
  /** The columns it comes from, for messages. */
  readonly from: string;
  read(cells: readonly string[]): JsonValue | undefined;
}

/**
 * Prepares the mapping of a table's rows.
 *
 * An empty cell is no value: the field is left out, or takes its default. Numbers and booleans are read from text where
 * the agent's input schema asks for them.
 *
 * @throws RowcallError COLUMN_MISSING, COLUMN_DUPLICATE or, for a wrong template or path, BATCH_INVALID, with every problem
 * in `details.problems`; AGENT_INVALID for a wrong input schema
 */
export function createMapper(
  mapping: InputMapping,
  header: readonly string[],
  ragged: "fail" | "pad" | "keep",
  agent: Pick<AgentDefinition, "agent_name" | "input_schema">,
): MapInput {
  const problems = mappingProblems(mapping, header);
  const [first] = problems;
  if (first !== undefined) throw problemsError(first.code, "The input mapping does not fit the table", problems);
  const fields = fieldsOf(mapping, header);
  const statics = Object.entries(mapping.staticValues);
  const validate =
    agent.input_schema && compileSchema(agent.input_schema, `The input_schema of agent ${agent.agent_name}`);
  const coercions = coercionsOf(agent.input_schema);
  return (row) => {
    const misfit = raggedness(row, header.length, ragged);
    if (misfit !== undefined) return { failure: misfit };
    const input: Record<string, JsonValue> = {};
    let empty: Field[] | undefined;
    try {
      for (const field of fields) {
        const value = field.read(row.cells);
        if (value !== undefined) setOwn(input, field.name, coercions.get(field.name)?.(value) ?? value);
        else if (field.required) (empty ??= []).push(field);
      }
    } catch (thrown) {
      if (!(thrown instanceof RowcallError)) throw thrown;
      const { code, message, hint } = thrown;
      return { failure: failedOutcome(code, `${message} (line ${row.line})`, { hint, retryable: false }) };
    }
    for (const [name, value] of statics) if (value !== undefined) setOwn(input, name, value);
    const missing = empty?.filter(({ name }) => !Object.hasOwn(input, name)) ?? [];
    if (missing.length > 0) return { failure: missingValues(row, missing) };
    return validate === undefined ? { input } : checked(input, validate, row);
  };
}

/** One thing that keeps a mapping from fitting a table, and the code of the error it makes. */
export interface MappingProblem extends Problem {
  readonly code: "COLUMN_MISSING" | "COLUMN_DUPLICATE" | "BATCH_INVALID";
}

/** Everything that keeps a mapping from fitting a table. */
export function mappingProblems(mapping: InputMapping, header: readonly string[]): MappingProblem[] {
  const problems: MappingProblem[] = [];
  const { selection } = mapping;
  const known = new Set(header);
  const repeated = repeatedNames(header);
  const exist = (column: string, path: string): void => {
    if (known.has(column)) return;
    const message = `column "${column}" is not in the input`;
    problems.push({ code: "COLUMN_MISSING", path, message, hint: suggest(column, header) });
  };
  const need = (column: string, path: string): void => {
    exist(column, path);
    if (!repeated.has(column)) return;
    const orLeaveOut = selection.kind === "exclude" ? ", or leave both out with exclude_columns" : "";
    const hint = `Rename one of the columns${orLeaveOut}: it is not clear which is meant.`;
    const message = `column "${column}" is in the input more than once`;
    problems.push({ code: "COLUMN_DUPLICATE", path, message, hint });
  };
  if (selection.kind === "exclude")
    for (const column of selection.columns) exist(column, "input_mapping.exclude_columns");
  // Without any list every column is passed, which nobody has written down.
  const isDefault = selection.kind === "exclude" && selection.columns.length === 0;
  const listed = isDefault ? "input_mapping" : `input_mapping.${selection.kind}_columns`;
  for (const column of new Set(selectedColumns(mapping, header))) need(column, listed);
  for (const { column } of mapping.columns) need(column, "input_mapping.column_mappings");
  for (const transformation of mapping.transformations) {
    const path = `input_mapping.transformations.${transformation.field}`;
    try {
      for (const column of columnsOf(transformation)) need(column, path);
      if (transformation.type === "jsonpath") requireJsonPath(transformation.path);
    } catch (cause) {
      const hint = cause instanceof RowcallError ? cause.hint : undefined;
      const message = messageOf(cause);
      problems.push({
        code: "BATCH_INVALID",
        path,
        message,
        hint: hint ?? "JSONPath is as in RFC 9535: $.list[0].name.",
      });
    }
  }
  return problems;
}

function columnsOf(transformation: Transformation): Iterable<string> {
  switch (transformation.type) {
    case "concat":
      return transformation.columns;
    case "template":
      return variablesOf(transformation.template);
    case "jsonpath":
      return [transformation.column];
  }
}

function fieldsOf(mapping: InputMapping, header: readonly string[]): Field[] {
  const places = new Map(header.map((name, i) => [name, i] as const));
  const at = (column: string): number => places.get(column) ?? -1;
  return [
    ...selectedColumns(mapping, header).map((name) => ({
      name,
      required: false,
      from: `column "${name}"`,
      read: cellReader(at(name)),
    })),
    ...mapping.columns.map((m) => ({
      name: m.field,
      required: m.required,
      from: `column "${m.column}"`,
      read: cellReader(at(m.column), m.default),
    })),
    ...mapping.transformations.map((t) => ({
      name: t.field,
      required: t.required,
      from: `its ${t.type} transformation`,
      read: transformationReader(t, header, at),
    })),
  ];
}

/** The fields of agent input that a mapping may set, by where they come from. */
export function mappedFields(
  mapping: InputMapping,
  header: readonly string[],
): { readonly selected: readonly string[]; readonly named: readonly string[] } {
  const named = [
    ...mapping.columns.map((m) => m.field),
    ...mapping.transformations.map((t) => t.field),
    ...Object.keys(mapping.staticValues),
  ];
  return { selected: selectedColumns(mapping, header), named };
}

/** The columns that a mapping names; those of `exclude_columns` are not needed to map a row. */
export function namedColumns(mapping: InputMapping): readonly string[] {
  const included = mapping.selection.kind === "include" ? mapping.selection.columns : [];
  return [
    ...new Set([
      ...included,
      ...mapping.columns.map((m) => m.column),
      ...mapping.transformations.flatMap((t) => [...columnsOf(t)]),
    ]),
  ];
}

function selectedColumns({ selection }: InputMapping, header: readonly string[]): readonly string[] {
  switch (selection.kind) {
    case "none":
      return [];
    case "include":
      return selection.columns;
    case "exclude": {
      const excluded = new Set(selection.columns);
      return header.filter((name) => name !== "" && !excluded.has(name));
    }
  }
}

function cellReader(index: number, fallback?: JsonValue): Field["read"] {
  return (cells) => {
    const cell = cells[index];
    return cell === undefined || cell.trim() === "" ? fallback : cell;
  };
}

function transformationReader(
  transformation: Transformation,
  header: readonly string[],
  at: (column: string) => number,
): Field["read"] {
  const nonEmpty = (text: string): string | undefined => (text.trim() === "" ? undefined : text);
  switch (transformation.type) {
    case "concat": {
      const indices = transformation.columns.map(at);
      return (cells) =>
        nonEmpty(
          indices
            .map((i) => cells[i] ?? "")
            .filter((cell) => cell.trim() !== "")
            .join(transformation.separator),
        );
    }
    case "template":
      return (cells) =>
        nonEmpty(
          renderText(transformation.template, Object.fromEntries(header.map((name, i) => [name, cells[i] ?? ""]))),
        );
    case "jsonpath": {
      const index = at(transformation.column);
      return (cells) => firstMatch(cells[index] ?? "", transformation.path);
    }
  }
}

function firstMatch(text: string, path: string): JsonValue | undefined {
  let match: JsonValue;
  try {
    match = firstAt(path, parseJson(text)) ?? "";
  } catch {
    // A cell that holds no JSON matches nothing; a required field then fails the row by name.
    return undefined;
  }
  if (typeof match === "string") return match.trim() === "" ? undefined : match;
  try {
    // Digits that no number holds stay text, for the schema to refuse.
    return replaceDigits(admit(match, `The value at ${path}`).value, String);
  } catch (thrown) {
    throw new RowcallError("ROW_INVALID", messageOf(thrown), { hint: "Correct the cell.", cause: thrown });
  }
}

function coercionsOf(schema: JsonObject | undefined): ReadonlyMap<string, (value: JsonValue) => JsonValue> {
  const properties = Object.entries((schema?.["properties"] ?? {}) as JsonObject);
  return new Map(
    properties.flatMap(([name, property]) => {
      const declared = isJsonObject(property) ? property["type"] : undefined;
      const types: readonly unknown[] = Array.isArray(declared) ? declared : [declared];
      // What may be text stays text.
      if (types.includes("string")) return [];
      if (types.includes("number") || types.includes("integer")) return [[name, toNumber] as const];
      return types.includes("boolean") ? [[name, toBoolean] as const] : [];
    }),
  );
}

function toNumber(value: JsonValue): JsonValue {
  const number = typeof value === "string" ? Number(value) : Number.NaN;
  // Text that is no number, or has more figures than one holds, is left for the schema to refuse.
  const isExact = Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number));
  return isExact ? number : value;
}

function toBoolean(value: JsonValue): JsonValue {
  const word = typeof value === "string" ? value.trim().toLowerCase() : value;
  return word === "true" ? true : word === "false" ? false : value;
}

function raggedness(row: Row, width: number, ragged: "fail" | "pad" | "keep"): FailedOutcome | undefined {
  const cells = row.cells.length;
  const fits = cells === width || (ragged !== "fail" && cells < width) || ragged === "keep";
  if (fits) return undefined;
  return failedOutcome(
    "ROW_RAGGED",
    `Line ${row.line} has ${cells} ${cells === 1 ? "cell" : "cells"} where the header has ${width}`,
    { hint: `Correct the line, or set "ragged" in the batch file's input to ${cells < width ? '"pad"' : '"keep"'}.` },
  );
}

function missingValues(row: Row, fields: readonly Field[]): FailedOutcome {
  const names = fields.map(({ name }) => `"${name}"`).join(", ");
  const from = fields.map((field) => field.from).join(", ");
  const one = fields.length === 1;
  return failedOutcome(
    "ROW_VALUE_MISSING",
    `Required ${one ? "field" : "fields"} ${names} ${one ? "has" : "have"} no value: ${from} ${one ? "is" : "are"} empty on line ${row.line}`,
    { hint: "Fill the cell, give the mapping a default, or set required to false." },
  );
}

function checked(input: AgentInput, validate: Validate, row: Row): Mapped {
  const problems = validate(input);
  if (problems.length === 0) return { input };
  return {
    failure: failedOutcome(
      "ROW_INVALID",
      `The agent's input schema refuses line ${row.line}: ${formatProblems(problems)}`,
      { hint: "Correct the cell or the input mapping." },
    ),
  };
}
