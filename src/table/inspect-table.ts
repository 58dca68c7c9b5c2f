import { hash } from "node:crypto";
import type { AgentDefinition, AgentInput } from "../core/agent.ts";
import { outcomeOf } from "../core/attempt.ts";
import type { Batch } from "../core/batch.ts";
import type { RowSelection } from "../core/engine.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { Row } from "../core/row.ts";
import type { Services } from "../core/services.ts";
import type { Dialect } from "./dialect.ts";
import { createMapper, mappingProblems, type MapInput } from "./map.ts";
import { readTable } from "./read-table.ts";
import { createDuplicateFinder } from "./duplicate-finder.ts";

/** A row that makes a valid agent input. */
export interface PlannedRow {
  /** 0-based index of the row. */
  readonly row: number;
  /** 1-based line on which it begins. */
  readonly line: number;
  readonly input: JsonObject;
}

/** A row that fails without calling the agent. */
export interface InvalidRow {
  readonly row: number;
  readonly line: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
}

/** A row that asks what an earlier one asked. */
export interface DuplicateRow {
  readonly row: number;
  readonly line: number;
  /** Index of the first row that asked it. */
  readonly sameAs: number;
}

/** What kinds of rows were found. Lists hold the first few; counts are of all. */
export interface FoundRows {
  readonly sample: readonly PlannedRow[];
  readonly invalid: { readonly count: number; readonly first: readonly InvalidRow[] };
  /** Rows whose mapped input is that of an earlier row; `isComplete` is false when the table has more rows than are compared. */
  readonly duplicates: {
    readonly count: number;
    readonly first: readonly DuplicateRow[];
    readonly isComplete: boolean;
  };
}

/** How large mapped inputs are as JSON, in bytes. */
export interface InputBytes {
  readonly largest: number;
  /** Of all valid rows. */
  readonly total: number;
}

/** What reading a whole table found. */
export interface TableReport extends FoundRows {
  readonly dialect: Dialect;
  readonly header: readonly string[];
  /** Records after the header. */
  readonly rows: number;
  /** Those that were asked for. */
  readonly chosen: number;
  /** Chosen rows that have fewer or more cells than the header. */
  readonly short: number;
  readonly long: number;
  readonly valid: number;
  readonly inputBytes: InputBytes;
}

/** What inspecting a table takes. */
export interface InspectSetup {
  readonly services: Pick<Services, "store">;
  readonly batch: Batch;
  readonly inputUri: string;
  /** Undefined while the agent is not known: then its input schema is not held against the rows. */
  readonly definition?: Pick<AgentDefinition, "agent_name" | "input_schema"> | undefined;
  /** What the agent would do with an input; throws when it would refuse. */
  readonly preview?: ((input: AgentInput) => unknown) | undefined;
  readonly rows?: RowSelection | undefined;
  readonly limit?: number | undefined;
  readonly sampleSize: number;
  readonly listSize: number;
}

/**
 * Reads and maps every row of a table as a run would. Memory does not grow with the table, but for the keys of duplicates.
 *
 * @throws RowcallError as the store does; INPUT_EMPTY, INPUT_ENCODING, INPUT_MALFORMED
 */
export async function inspectTable(setup: InspectSetup): Promise<TableReport> {
  const { services, batch, inputUri, sampleSize, listSize } = setup;
  const { dialect, header, rows } = await readTable(() => services.store.read(inputUri), batch.dialect);
  const mapInput = mapperOf(setup, header, dialect);
  const duplicates = createDuplicateFinder();
  const sample: PlannedRow[] = [];
  const invalid: InvalidRow[] = [];
  const repeated: DuplicateRow[] = [];
  const counts = { rows: 0, chosen: 0, short: 0, long: 0, valid: 0, invalid: 0, repeated: 0, largest: 0, bytes: 0 };
  const isChosen = chooser(setup.rows, setup.limit);

  const look = (row: Row): void => {
    if (row.cells.length !== header.length) counts[row.cells.length < header.length ? "short" : "long"] += 1;
    if (mapInput === undefined) return;
    const mapped = mapAndPreview(mapInput, row, setup.preview);
    const { index, line } = row;
    if ("failure" in mapped) {
      counts.invalid += 1;
      const { code, message, hint } = mapped.failure;
      if (invalid.length < listSize) invalid.push({ row: index, line, code, message, hint });
      return;
    }
    counts.valid += 1;
    if (sample.length < sampleSize) sample.push({ row: index, line, input: mapped.input });
    const json = Buffer.from(JSON.stringify(mapped.input));
    counts.largest = Math.max(counts.largest, json.length);
    counts.bytes += json.length;
    const sameAs = duplicates.note(hash("sha256", json, "buffer"), index);
    if (sameAs === undefined) return;
    counts.repeated += 1;
    if (repeated.length < listSize) repeated.push({ row: index, line, sameAs });
  };

  for await (const block of rows) {
    counts.rows += block.length;
    for (const row of block) {
      if (!isChosen(row.index, counts.chosen)) continue;
      counts.chosen += 1;
      look(row);
    }
  }
  return {
    dialect,
    header,
    rows: counts.rows,
    chosen: counts.chosen,
    short: counts.short,
    long: counts.long,
    valid: counts.valid,
    inputBytes: { largest: counts.largest, total: counts.bytes },
    sample,
    invalid: { count: counts.invalid, first: invalid },
    duplicates: { count: counts.repeated, first: repeated, isComplete: duplicates.isComplete },
  };
}

// Undefined when the mapping does not fit: a check of its own says so, and the table is read all the same.
function mapperOf(
  { batch, definition }: InspectSetup,
  header: readonly string[],
  dialect: Dialect,
): MapInput | undefined {
  if (mappingProblems(batch.inputMapping, header).length > 0) return undefined;
  try {
    return createMapper(batch.inputMapping, header, dialect.ragged, definition ?? { agent_name: "" });
  } catch {
    return createMapper(batch.inputMapping, header, dialect.ragged, { agent_name: "" });
  }
}

function mapAndPreview(mapInput: MapInput, row: Row, preview: InspectSetup["preview"]): ReturnType<MapInput> {
  try {
    const mapped = mapInput(row);
    if ("input" in mapped) preview?.(mapped.input);
    return mapped;
  } catch (thrown) {
    return { failure: outcomeOf(thrown) };
  }
}

function chooser(
  ranges: RowSelection | undefined,
  limit = Number.POSITIVE_INFINITY,
): (index: number, chosen: number) => boolean {
  let at = 0;
  return (index, chosen) => {
    if (chosen >= limit) return false;
    if (ranges === undefined) return true;
    while (at < ranges.length && (ranges[at]?.[1] ?? 0) < index) at += 1;
    return index >= (ranges[at]?.[0] ?? Number.POSITIVE_INFINITY);
  };
}
