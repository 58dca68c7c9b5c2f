import { mainArtifact, type Attempt } from "../core/attempt.ts";
import type { ExtraMetadataColumn, OutputMapping } from "../core/batch.ts";
import { RowcallError } from "../core/errors.ts";
import { getOwn, type JsonValue } from "../core/json.ts";
import type { Problem } from "../core/schema.ts";

/** What is known of a row when it is written. */
export interface RowResult {
  /** 0-based index of the row. */
  readonly row: number;
  /** The attempt that is final for the row; undefined while the row is pending. */
  readonly attempt?: Attempt;
}

/** One new cell: text, and whether it came from a string (only those can hold a formula). */
export interface Cell {
  readonly text: string;
  readonly isString: boolean;
}

/** The new columns of a table. */
export interface Enricher {
  /** Names of the new columns, in order, as written. */
  readonly columns: readonly string[];
  /** The new cells of one row, in the order of `columns`. */
  enrichRow(result: RowResult): readonly Cell[];
  /** Fields that no succeeded row had so far. */
  unseenFields(): readonly string[];
}

/** What enriching needs to know of a run. */
export interface EnricherSetup {
  readonly mapping: OutputMapping;
  /** Fields of structured output, in order. */
  readonly fields: readonly string[];
  /** Names of the original columns; a new column must not repeat one. */
  readonly header: readonly string[];
  readonly agentVersion: string;
  /** Whether `_error_message` is written. */
  readonly anyFailed: boolean;
}

/**
 * Prepares the new columns: structured fields in order, then `_status`, `_timestamp`, `_execution_time_ms`, `_error_message` when any
 * row failed, then the extra metadata columns asked for.
 *
 * @throws RowcallError COLUMN_COLLISION when a new column has the name of an original one, or two new ones the same
 */
export function createEnricher(setup: EnricherSetup): Enricher {
  const { mapping, fields, agentVersion } = setup;
  const unseen = new Set(fields);
  const metadata = metadataNames(mapping, setup.anyFailed);
  const columns = renamed([...fields, ...metadata], mapping);
  requireDistinct(columns, setup.header, mapping);
  return {
    columns,
    unseenFields: () => [...unseen],
    enrichRow: (result) => {
      const outcome = result.attempt?.outcome;
      const output = outcome?.status === "succeeded" ? outcome.output : undefined;
      const cells = fields.map((field) => {
        const value = output && getOwn(output, field);
        if (value !== undefined) unseen.delete(field);
        return toCell(value);
      });
      for (const name of metadata) cells.push(toCell(metadataValue(name as MetadataColumn, result, agentVersion)));
      return cells;
    },
  };
}

/**
 * Requires that no column a run may write, `_error_message` included, has a name that is taken; for checks before it starts.
 *
 * @throws RowcallError COLUMN_COLLISION
 */
export function requireNoCollision(mapping: OutputMapping, fields: readonly string[], header: readonly string[]): void {
  requireDistinct(outputColumns(mapping, fields), header, mapping);
}

/** The names of every new column a run may write, `_error_message` included. */
export function outputColumns(mapping: OutputMapping, fields: readonly string[]): readonly string[] {
  return renamed([...fields, ...metadataNames(mapping, true)], mapping);
}

function metadataNames(mapping: OutputMapping, anyFailed: boolean): readonly string[] {
  const usual = ["_status", "_timestamp", "_execution_time_ms", ...(anyFailed ? ["_error_message"] : [])];
  return [...(mapping.addMetadata ? usual : []), ...mapping.metadataColumns];
}

function renamed(names: readonly string[], { rename }: OutputMapping): readonly string[] {
  return names.map((name) => getOwn(rename, name) ?? name);
}

type MetadataColumn = "_status" | "_timestamp" | "_execution_time_ms" | "_error_message" | ExtraMetadataColumn;

function metadataValue(
  column: MetadataColumn,
  { row, attempt }: RowResult,
  agentVersion: string,
): JsonValue | undefined {
  const failed = attempt?.outcome.status === "failed" ? attempt.outcome : undefined;
  switch (column) {
    case "_status":
      return attempt === undefined ? "PENDING" : failed === undefined ? "SUCCESS" : "FAILED";
    case "_timestamp":
      return attempt && isoSecond(attempt.endedAt);
    case "_execution_time_ms":
      return attempt && attempt.endedAt - attempt.startedAt;
    case "_error_message":
      return failed?.message;
    case "_row":
      return row;
    case "_attempts":
      return attempt?.number ?? 0;
    case "_error_code":
      return failed?.code;
    case "_agent_version":
      return agentVersion;
    case "_recording":
      return attempt && mainArtifact(attempt.artifacts)?.uri;
  }
}

// Attempts that follow one another mostly end within the same second: its text is kept.
const lastSecond = { second: Number.NaN, text: "" };

function isoSecond(atMs: number): string {
  const second = Math.floor(atMs / 1000);
  if (second !== lastSecond.second) {
    lastSecond.second = second;
    lastSecond.text = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`;
  }
  return lastSecond.text;
}

/** A JSON value as it stands in a cell: booleans lower-case, objects and arrays as JSON text, null and missing as nothing. */
export function toCell(value: JsonValue | undefined): Cell {
  if (value === undefined || value === null) return { text: "", isString: false };
  if (typeof value === "string") return { text: value, isString: true };
  return { text: typeof value === "object" ? JSON.stringify(value) : String(value), isString: false };
}

/**
 * New columns whose name is taken, by an original column or by another new one.
 *
 * @param columns - as written
 * @param header - original columns that are written too; none when they are left out
 * @param rename - what is renamed already, so that the hint names the field
 */
export function collisionProblems(
  columns: readonly string[],
  header: readonly string[],
  rename: OutputMapping["rename"] = {},
): readonly Problem[] {
  const taken = new Set(header);
  const problems: Problem[] = [];
  for (const name of columns) {
    if (taken.has(name)) {
      const isOriginal = header.includes(name);
      const field = Object.keys(rename).find((key) => rename[key] === name) ?? name;
      const orLeaveOut = isOriginal ? ", or leave the original columns out with include_original: false" : "";
      problems.push({
        path: "output_mapping",
        message: `Output column "${name}" has the name of ${isOriginal ? "a column of the input" : "another output column"}`,
        hint: `Write it under another name with output_mapping.rename: {"${field}": "${name}_2"}${orLeaveOut}.`,
      });
    }
    taken.add(name);
  }
  return problems;
}

function requireDistinct(columns: readonly string[], header: readonly string[], mapping: OutputMapping): void {
  const problems = collisionProblems(columns, mapping.includeOriginal ? header : [], mapping.rename);
  const [first] = problems;
  if (first === undefined) return;
  throw new RowcallError("COLUMN_COLLISION", problems.map(({ message }) => message).join("; "), {
    hint: first.hint,
    details: { problems },
  });
}
