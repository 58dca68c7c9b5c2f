import type { Batch } from "../core/batch.ts";
import { RowcallError } from "../core/errors.ts";
import { getOwn } from "../core/json.ts";
import type { Row } from "../core/row.ts";
import { suggest } from "../core/schema.ts";
import type { Services } from "../core/services.ts";
import { namedColumns } from "./map.ts";
import { readTable } from "./read-table.ts";

/** A row to try, with the names of its cells. */
export interface NamedRow {
  readonly header: readonly string[];
  readonly row: Row;
}

/**
 * One row of the batch's input.
 *
 * @param index - 0-based
 * @throws RowcallError USAGE_INVALID when there is no such row; as the store does; INPUT_EMPTY, INPUT_ENCODING, INPUT_MALFORMED
 */
export async function readRow(services: Pick<Services, "store">, batch: Batch, index: number): Promise<NamedRow> {
  const { inputUri } = batch;
  if (inputUri === undefined) {
    throw new RowcallError("USAGE_INVALID", "There is no input to take a row from", {
      hint: "Give --input, or the row's cells with --set column=value.",
    });
  }
  const { header, rows } = await readTable(() => services.store.read(inputUri), batch.dialect);
  let count = 0;
  for await (const block of rows) {
    const row = block[index - count];
    if (row !== undefined) return { header, row };
    count += block.length;
  }
  throw new RowcallError("USAGE_INVALID", `Row ${index} is not in the input, which has ${count} rows`, {
    hint:
      count === 0
        ? "The input has a header and nothing else."
        : `Rows are counted from 0: the last one is ${count - 1}.`,
  });
}

/** A row made of nothing but given cells; columns that the mapping names and nobody gave are empty. */
export function makeRow(batch: Batch, given: Readonly<Record<string, string>>): NamedRow {
  const named = namedColumns(batch.inputMapping);
  const { selection } = batch.inputMapping;
  const excluded = selection.kind === "exclude" ? selection.columns : [];
  if (selection.kind !== "exclude") requireKnown(Object.keys(given), named);
  const header = [...new Set([...named, ...Object.keys(given), ...excluded])];
  return { header, row: { index: 0, line: 2, cells: header.map((name) => getOwn(given, name) ?? "") } };
}

/**
 * A row with some cells replaced.
 *
 * @throws RowcallError USAGE_INVALID for a column that the row does not have
 */
export function replaceCells({ header, row }: NamedRow, given: Readonly<Record<string, string>>): NamedRow {
  requireKnown(Object.keys(given), header);
  return { header, row: { ...row, cells: header.map((name, i) => getOwn(given, name) ?? row.cells[i] ?? "") } };
}

function requireKnown(columns: readonly string[], known: readonly string[]): void {
  const all = new Set(known);
  const unknown = columns.find((column) => !all.has(column));
  if (unknown === undefined) return;
  throw new RowcallError("USAGE_INVALID", `There is no column "${unknown}" to set`, {
    hint: suggest(unknown, known),
    details: { column: unknown },
  });
}
