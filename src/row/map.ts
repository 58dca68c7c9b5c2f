import { query } from "jsonpath-rfc9535";
import parseJsonPath from "jsonpath-rfc9535/parser";
import type { FailedOutcome } from "../core/attempt.ts";
import type { AgentDefinition, AgentInput } from "../core/agent.ts";
import type { InputMapping, Transformation } from "../core/batch.ts";
import { RowcallError, messageOf } from "../core/errors.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { renderText, variablesOf } from "../core/render.ts";
import type { Row } from "../core/row.ts";
import { compileSchema, formatProblems, suggest, type Problem, type Validate } from "../core/schema.ts";

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
 * @throws RowcallError COLUMN_MISSING or COLUMN_DUPLICATE with every problem in `details.problems`; AGENT_INVALID for a
 * wrong input schema
 */
export function createMapper(
  mapping: InputMapping,
  header: readonly string[],
  ragged: "fail" | "pad" | "keep",
  agent: Pick<AgentDefinition, "agent_name" | "input_schema">,
): MapInput {
  const problems = mappingProblems(mapping, header);
  if (problems.length > 0) {
    const code = problems.some((p) => p.message.includes("more than once")) ? "COLUMN_DUPLICATE" : "COLUMN_MISSING";
    throw new RowcallError(code, `The input mapping does not fit the table: ${formatProblems(problems)}`, {
      hint: problems[0]?.hint ?? "Correct the column names in input_mapping.",
      details: { problems },
    });
  }
  const fields = fieldsOf(mapping, header);
  const statics = Object.entries(mapping.staticValues);
  const coercions = coercionsOf(agent.input_schema);
  const validate =
    agent.input_schema && compileSchema(agent.input_schema, `The input_schema of agent ${agent.agent_name}`);
  return (row) => {
    const misfit = raggedness(row, header.length, ragged);
    if (misfit !== undefined) return { failure: misfit };
    const input: Record<string, JsonValue> = {};
    for (const { name, required, from, read } of fields) {
      const value = read(row.cells);
      if (value !== undefined) input[name] = coercions.get(name)?.(value) ?? value;
      else if (required && input[name] === undefined) return { failure: missingValue(row, name, from) };
    }
    for (const [name, value] of statics) if (value !== undefined) input[name] = value;
    return validate === undefined ? { input } : checked(input, validate, row);
  };
}

/** Everything that keeps a mapping from fitting a table. */
export function mappingProblems(mapping: InputMapping, header: readonly string[]): Problem[] {
  const problems: Problem[] = [];
  const need = (column: string, path: string): void => {
    const count = header.filter((name) => name === column).length;
    if (count === 0) {
      problems.push({ path, message: `column "${column}" is not in the input`, hint: suggest(column, header) });
    } else if (count > 1) {
      problems.push({
        path,
        message: `column "${column}" is in the input more than once`,
        hint: "Rename one of the columns: it is not clear which is meant.",
      });
    }
  };
  if (mapping.selection.kind !== "none") {
    for (const column of mapping.selection.columns) need(column, `input_mapping.${mapping.selection.kind}_columns`);
  }
  for (const { column } of mapping.columns) need(column, "input_mapping.column_mappings");
  for (const transformation of mapping.transformations) {
    const path = `input_mapping.transformations.${transformation.field}`;
    try {
      for (const column of columnsOf(transformation)) need(column, path);
      if (transformation.type === "jsonpath") parseJsonPath(transformation.path);
    } catch (cause) {
      problems.push({ path, message: messageOf(cause) });
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
  const at = (column: string): number => header.indexOf(column);
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
      read: transformationReader(t, header),
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
    case "exclude":
      return header.filter((name) => name !== "" && !selection.columns.includes(name));
  }
}

function cellReader(index: number, fallback?: JsonValue): Field["read"] {
  return (cells) => {
    const cell = cells[index];
    return cell === undefined || cell.trim() === "" ? fallback : cell;
  };
}

function transformationReader(transformation: Transformation, header: readonly string[]): Field["read"] {
  const nonEmpty = (text: string): string | undefined => (text.trim() === "" ? undefined : text);
  switch (transformation.type) {
    case "concat": {
      const indices = transformation.columns.map((column) => header.indexOf(column));
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
      const index = header.indexOf(transformation.column);
      return (cells) => firstMatch(cells[index] ?? "", transformation.path);
    }
  }
}

function firstMatch(text: string, path: string): JsonValue | undefined {
  try {
    return query(JSON.parse(text) as Parameters<typeof query>[0], path)[0];
  } catch {
    // A cell that holds no JSON matches nothing; a required field then fails the row by name.
    return undefined;
  }
}

function coercionsOf(schema: JsonObject | undefined): ReadonlyMap<string, (value: JsonValue) => JsonValue> {
  const properties = (schema?.["properties"] ?? {}) as JsonObject;
  const toNumber = (value: JsonValue): JsonValue => {
    const number = typeof value === "string" ? Number(value) : Number.NaN;
    return Number.isFinite(number) ? number : value;
  };
  const toBoolean = (value: JsonValue): JsonValue => {
    const word = typeof value === "string" ? value.trim().toLowerCase() : value;
    return word === "true" ? true : word === "false" ? false : value;
  };
  return new Map(
    Object.entries(properties).flatMap(([name, property]) => {
      const type = (property as JsonObject)["type"];
      if (type === "number" || type === "integer") return [[name, toNumber] as const];
      return type === "boolean" ? [[name, toBoolean] as const] : [];
    }),
  );
}

function raggedness(row: Row, width: number, ragged: "fail" | "pad" | "keep"): FailedOutcome | undefined {
  const cells = row.cells.length;
  const fits = cells === width || (ragged !== "fail" && cells < width) || ragged === "keep";
  if (fits) return undefined;
  return failure(
    "ROW_RAGGED",
    `Line ${row.line} has ${cells} cells where the header has ${width}`,
    `Correct the line, or set "ragged" in the batch file's input to ${cells < width ? '"pad"' : '"keep"'}.`,
  );
}

function missingValue(row: Row, name: string, from: string): FailedOutcome {
  return failure(
    "ROW_VALUE_MISSING",
    `Required field "${name}" has no value: ${from} is empty on line ${row.line}`,
    "Fill the cell, give the mapping a default, or set required to false.",
  );
}

function checked(input: AgentInput, validate: Validate, row: Row): Mapped {
  const problems = validate(input);
  if (problems.length === 0) return { input };
  return {
    failure: failure(
      "ROW_INVALID",
      `The agent's input schema refuses line ${row.line}: ${formatProblems(problems)}`,
      "Correct the cell or the input mapping.",
    ),
  };
}

function failure(
  code: "ROW_RAGGED" | "ROW_VALUE_MISSING" | "ROW_INVALID",
  message: string,
  hint: string,
): FailedOutcome {
  return { status: "failed", code, message, hint, retryable: false };
}
