import type { Batch } from "../../core/batch.ts";
import type { Engine, RowPage, RowQuery, RowReport, RunSurvey } from "../../core/engine.ts";
import { RowcallError } from "../../core/errors.ts";

/** @throws RowcallError REQUEST_UNKNOWN when the engine has no surveys; RUN_NOT_FOUND */
export async function surveyOf(engine: Engine, id: string): Promise<RunSurvey> {
  return engine.survey?.(id) ?? notOffered("what became of a run's rows");
}

/** @throws RowcallError REQUEST_UNKNOWN when the engine has no pages; RUN_NOT_FOUND; USAGE_INVALID */
export async function pageOf(engine: Engine, id: string, query: RowQuery): Promise<RowPage> {
  return engine.page?.(id, query) ?? notOffered("the rows of a run by pages");
}

/** @throws RowcallError REQUEST_UNKNOWN when the engine does not show batches; RUN_NOT_FOUND */
export async function batchOf(engine: Engine, id: string): Promise<Batch> {
  return engine.batch?.(id) ?? notOffered("the batch of a run");
}

/** @throws RowcallError ROW_NOT_FOUND, RUN_NOT_FOUND */
export async function rowOf(engine: Engine, id: string, text: string): Promise<RowReport> {
  const row = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(row)) {
    for await (const report of engine.rows(id, { rows: [[row, row]] })) return report;
  }
  throw new RowcallError("ROW_NOT_FOUND", `Run ${id} has no row ${text}`, { hint: "Rows are counted from 0." });
}

function notOffered(what: string): never {
  throw new RowcallError("REQUEST_UNKNOWN", `The engine does not show ${what}`, {
    hint: "Engines of this machine do.",
  });
}
