import { setImmediate as breathe } from "node:timers/promises";
import type { FailureSummary, RunSurvey } from "../core/engine.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { RunRecord } from "./journal.ts";
import type { OpenRun } from "./open-run.ts";
import type { RankedRow, RowReader } from "./row-reader.ts";

/** A run that is surveyed: without a table when its copy of it cannot be read, or is not needed. */
export type SurveySource = Pick<OpenRun, "journal" | "run"> & Partial<Pick<OpenRun, "table">>;

const surveyedRows = 20_000;
const mostSlices = 240;
const slowestShown = 10;
const sliceLengths = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400].map((s) => s * 1000);

/**
 * What became of a run's rows. The journal is read in pieces with room for other work between them: the run that is looked at
 * may be going in this process.
 *
 * @param now - milliseconds since 1970, UTC
 */
export async function surveyRun(source: SurveySource, now: number): Promise<RunSurvey> {
  const { journal, run } = source;
  const reader = journal.openRowReader(run.seq);
  const from = run.createdAt;
  const sliceMs = sliceLength((run.endedAt ?? now) - from);
  const slices = new Map<number, { succeeded: number; failed: number }>();
  const workers = new Map<string, { attempts: number; lost: number }>();
  let slowest: readonly RankedRow[] = [];
  let attempts = 0;
  let durationMs = 0;
  for (const [first, last] of piecesOf(run)) {
    for (const found of reader.slices(from, sliceMs, first, last)) {
      const slice = slices.get(found.slice) ?? { succeeded: 0, failed: 0 };
      slice.succeeded += found.succeeded;
      slice.failed += found.failed;
      slices.set(found.slice, slice);
      attempts += found.succeeded + found.failed;
      durationMs += found.durationMs;
    }
    slowest = [...slowest, ...reader.ranked("duration", true, {}, first, last, undefined, slowestShown)]
      .toSorted((a, b) => b.value - a.value || a.row - b.row)
      .slice(0, slowestShown);
    if (run.batch.execution.dispatch === "activity") addWorkers(workers, reader, first, last);
    await breathe();
  }
  return {
    failures: await failuresOf(source),
    slowest: slowest.map(({ row, value }) => ({
      row,
      attempts: journal.attempts(run.seq, row, row)(row).length,
      durationMs: value,
    })),
    timeline: {
      sliceMs,
      slices: [...slices]
        .toSorted(([a], [b]) => a - b)
        .map(([slice, counts]) => ({ at: from + slice * sliceMs, ...counts })),
    },
    workers: [...workers]
      .map(([worker, share]) => ({ worker, ...share }))
      .toSorted((a, b) => (a.worker < b.worker ? -1 : 1)),
    attempts,
    ...(attempts === 0 ? {} : { meanAttemptMs: durationMs / attempts }),
  };
}

function sliceLength(totalMs: number): number {
  return sliceLengths.find((length) => totalMs / length <= mostSlices) ?? sliceLengths.at(-1) ?? 1;
}

function addWorkers(
  workers: Map<string, { attempts: number; lost: number }>,
  reader: RowReader,
  first: number,
  last: number,
): void {
  for (const { worker, attempts, lost } of reader.workers(first, last)) {
    const share = workers.get(worker) ?? { attempts: 0, lost: 0 };
    workers.set(worker, { attempts: share.attempts + attempts, lost: share.lost + lost });
  }
}

/** The failed rows of a run by code, most frequent first, read in pieces as a survey is. */
export async function failuresOf({ journal, run, table }: SurveySource): Promise<FailureSummary[]> {
  const reader = journal.openRowReader(run.seq);
  const byCode = new Map<ErrorCode, { readonly count: number; readonly row: number }>();
  for (const [first, last] of piecesOf(run)) {
    for (const { code, count, row } of reader.failures(first, last)) {
      const before = byCode.get(code);
      byCode.set(code, { count: count + (before?.count ?? 0), row: before?.row ?? row });
    }
    await breathe();
  }
  const described = [...byCode].map(async ([code, { count, row }]): Promise<FailureSummary> => {
    const outcome = journal.results(run.seq, row, row)(row)?.outcome;
    const { message = "", hint } = outcome?.status === "failed" ? outcome : {};
    const line = table === undefined ? {} : { line: await table.lineOf(row) };
    return { code, count, row, ...line, message, ...(hint === undefined ? {} : { hint }) };
  });
  return (await Promise.all(described)).toSorted((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1));
}

function* piecesOf({ staged: { rows } }: RunRecord): Generator<readonly [first: number, last: number]> {
  for (let first = 0; first < rows; first += surveyedRows) yield [first, Math.min(first + surveyedRows, rows) - 1];
}
