import type { Engine, RowReport } from "../core/engine.ts";
import { RowcallError } from "../core/errors.ts";

/**
 * One row of a run.
 *
 * @param row - 0-based, in digits
 * @throws RowcallError ROW_NOT_FOUND, RUN_NOT_FOUND
 */
export async function findRow(engine: Engine, id: string, row: string): Promise<RowReport> {
  const index = Number(row);
  if (/^\d+$/.test(row) && Number.isSafeInteger(index)) {
    for await (const report of engine.rows(id, { rows: [[index, index]] })) return report;
  }
  throw new RowcallError("ROW_NOT_FOUND", `Run ${id} has no row ${row}`, { hint: "Rows are counted from 0." });
}
