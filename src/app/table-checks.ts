import type { AgentDefinition } from "../core/agent.ts";
import type { Batch } from "../core/batch.ts";
import type { RowSelection } from "../core/engine.ts";
import { isJsonObject } from "../core/json.ts";
import { rowAndLine } from "../core/row.ts";
import { compileSchema, repeatedNames, suggest, type Problem } from "../core/schema.ts";
import { collisionProblems, outputColumns } from "../table/enrich.ts";
import { mappedFields, mappingProblems } from "../table/map.ts";
import { checkBy, checkProblems, checkThrown, createCheck, type Check } from "./check.ts";
import { chooseRows } from "../runs/new-run.ts";
import type { TableReport } from "../table/inspect-table.ts";

/** What is known when a batch's table is judged. */
export interface TableCheckSetup {
  readonly batch: Batch;
  readonly definition?: AgentDefinition | undefined;
  /** Fields of structured output that become columns. */
  readonly fields: readonly string[];
  /** Undefined when the table could not be read: what can be said without it is said. */
  readonly table?: TableReport | undefined;
  readonly rows?: RowSelection | undefined;
}

/** Everything a table and its mapping are checked for. */
export async function checkTable(setup: TableCheckSetup): Promise<readonly Check[]> {
  const { batch, fields, table } = setup;
  const written = batch.outputMapping.includeOriginal ? (table?.header ?? []) : [];
  const columns = outputColumns(batch.outputMapping, fields);
  return [
    checkInputColumns(setup),
    checkHeader(table),
    checkProblems(
      "output_columns",
      collisionProblems(columns, written, batch.outputMapping.rename),
      `${columns.length} new columns: ${columns.join(", ")}`,
    ),
    ...(setup.rows === undefined ? [] : [await checkSelection(setup.rows, table)]),
    checkRagged(batch, table),
    checkValid(table),
    checkDuplicates(batch, table),
  ];
}

function checkInputColumns({ batch, definition, table }: TableCheckSetup): Check {
  const schema = definition?.input_schema;
  let problems: Problem[] = table === undefined ? [] : [...mappingProblems(batch.inputMapping, table.header)];
  let strangers: readonly Problem[] = [];
  if (definition !== undefined && schema !== undefined) {
    try {
      compileSchema(schema, `The input_schema of agent ${definition.agent_name}`);
    } catch (thrown) {
      return checkThrown("input_columns", thrown);
    }
    problems.push(...unmappedRequired(batch, schema, table?.header));
    strangers = unknownFields(batch, schema, table?.header ?? []);
    if (schema["additionalProperties"] === false) problems = problems.concat(strangers);
  }
  if (problems.length > 0) return checkProblems("input_columns", problems, "");
  if (strangers.length > 0) return checkProblems("input_columns", strangers, "", "warning");
  if (table === undefined) return createCheck("input_columns", "skipped", "The input could not be read");
  const fields = mappedFields(batch.inputMapping, table.header);
  const names = [...new Set([...fields.selected, ...fields.named])];
  const held =
    definition === undefined
      ? "the agent is not known"
      : schema === undefined
        ? "the agent declares no input_schema"
        : "as the agent's input_schema asks";
  return createCheck("input_columns", "passed", `Fields ${names.join(", ")}: ${held}`);
}

type Schema = NonNullable<AgentDefinition["input_schema"]>;

function unmappedRequired({ inputMapping }: Batch, schema: Schema, header: readonly string[] | undefined): Problem[] {
  const { required } = schema;
  if (!Array.isArray(required)) return [];
  // Without the header it is not known which columns are passed under their own name.
  if (header === undefined && inputMapping.selection.kind === "exclude") return [];
  const { selected, named } = mappedFields(inputMapping, header ?? []);
  const mapped = new Set([...selected, ...named]);
  return required
    .filter((field): field is string => typeof field === "string" && !mapped.has(field))
    .map((field) => ({
      path: "input_mapping",
      message: `nothing is mapped to "${field}", which the agent's input_schema requires`,
      hint: `Add {"csv_column": "…", "agent_input_field": "${field}"} to column_mappings.${header === undefined ? "" : ` Columns of the input: ${header.slice(0, 20).join(", ")}.`}`,
    }));
}

function unknownFields({ inputMapping }: Batch, schema: Schema, header: readonly string[]): Problem[] {
  const { properties } = schema;
  if (!isJsonObject(properties) || schema["patternProperties"] !== undefined) return [];
  const known = new Set(Object.keys(properties));
  const { selected, named } = mappedFields(inputMapping, header);
  // Columns that are passed because nothing excludes them were not asked for by name: they matter only where they are refused.
  const isRefused = schema["additionalProperties"] === false;
  return [...new Set([...(isRefused ? selected : []), ...named])]
    .filter((field) => !known.has(field))
    .map((field) => ({
      path: "input_mapping",
      message: `field "${field}" is not in the agent's input_schema`,
      hint: suggest(field, known),
    }));
}

function checkHeader(table: TableReport | undefined): Check {
  if (table === undefined) return skipped("header");
  const { header } = table;
  const repeated = [...repeatedNames(header)].filter((name) => name !== "");
  const empty = header.flatMap((name, i) => (name.trim() === "" ? [i + 1] : []));
  const problems: Problem[] = [
    ...repeated.map((name) => ({
      path: "",
      message: `Column "${name}" is there more than once`,
      hint: "Both are written again; neither can be mapped. Rename one to map it.",
    })),
    ...empty.map((at) => ({
      path: "",
      message: `Column ${at} has no name`,
      hint: "It is written again and cannot be mapped. Name it to map it.",
    })),
  ];
  return checkProblems("header", problems, `${header.length} columns: ${header.join(", ")}`, "warning");
}

async function checkSelection(rows: RowSelection, table: TableReport | undefined): Promise<Check> {
  if (table === undefined) return skipped("row_selection");
  return checkBy("row_selection", async () => {
    chooseRows(table.rows, rows, undefined);
    return `${table.chosen} of ${table.rows} rows`;
  });
}

function checkRagged({ dialect }: Batch, table: TableReport | undefined): Check {
  if (table === undefined) return skipped("ragged_rows");
  const { short, long } = table;
  if (short + long === 0) return createCheck("ragged_rows", "passed", `Every row has ${table.header.length} cells`);
  const detail = `${many(short, "row")} shorter and ${many(long, "row")} longer than the header; ragged is "${dialect.ragged}"`;
  const failing = dialect.ragged === "fail" ? short + long : dialect.ragged === "pad" ? long : 0;
  if (failing === 0) return createCheck("ragged_rows", "passed", detail);
  return createCheck(
    "ragged_rows",
    "warning",
    `${detail}: ${many(failing, "row")} will fail`,
    'Correct the lines, or set "ragged" in the batch file\'s input: "pad" fills short ones up, "keep" also takes long ones.',
  );
}

function checkValid(table: TableReport | undefined): Check {
  if (table === undefined) return skipped("valid_rows");
  const { valid, invalid, chosen } = table;
  if (chosen === 0)
    return createCheck("valid_rows", "warning", "There are no rows", "The output will have a header and nothing else.");
  if (valid + invalid.count === 0) return createCheck("valid_rows", "skipped", "The mapping does not fit the table");
  if (invalid.count === 0) return createCheck("valid_rows", "passed", `All ${valid} are valid`);
  const first = invalid.first[0];
  const detail = `${invalid.count} of ${chosen} rows are invalid${first === undefined ? "" : `; the first, row ${rowAndLine(first.row, first.line)}: ${first.message}`}`;
  return valid === 0
    ? createCheck("valid_rows", "failed", detail, first?.hint)
    : createCheck(
        "valid_rows",
        "warning",
        detail,
        "They will fail; the others run. Correct them now, or afterwards and run them again.",
      );
}

function checkDuplicates({ execution }: Batch, table: TableReport | undefined): Check {
  if (table === undefined) return skipped("duplicate_rows");
  const { count, first, isComplete } = table.duplicates;
  if (count === 0) {
    if (table.valid === 0) return createCheck("duplicate_rows", "skipped", "There are no valid rows to compare");
    return createCheck("duplicate_rows", "passed", isComplete ? "None" : "None among as many rows as are compared");
  }
  const example = first[0];
  const detail = `${many(count, "row")} the same as an earlier one${example === undefined ? "" : `, such as row ${rowAndLine(example.row, example.line)}, the same as row ${example.sameAs}`}`;
  if (execution.dedupe) return createCheck("duplicate_rows", "passed", `${detail}: dedupe asks the agent once`);
  return createCheck(
    "duplicate_rows",
    "warning",
    detail,
    'Set "dedupe": true in execution_config to ask the agent once for all of them.',
  );
}

function skipped(id: Check["id"]): Check {
  return createCheck(id, "skipped", "The input could not be read");
}

function many(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
