import type {
  RowFilter,
  RowReport,
  RowSelection,
  RowStatus,
  FailureSummary,
  RunSurvey,
  RowPage,
  RowQuery,
} from "../core/engine.ts";
import { createMapper } from "../table/map.ts";
import type { Journal, RowHistory, RunRecord } from "./journal.ts";
import type { OpenTable } from "../table/staging.ts";
import { setImmediate as breathe } from "node:timers/promises";
import type { RankedRow, RowReader } from "./row-reader.ts";
import { RowcallError } from "../core/errors.ts";
import { parseJson } from "../core/json.ts";
import { overlap } from "./new-run.ts";

/** A run's rows with their history, in order. */
export async function* reportRows(
  journal: Journal,
  run: RunRecord,
  table: OpenTable,
  selection: RowSelection,
  filter: RowFilter,
): AsyncGenerator<RowReport> {
  const mapInput = createMapper(run.batch.inputMapping, run.staged.header, run.staged.dialect.ragged, run.agent);
  for await (const block of table.blocks(selection)) {
    const history = journal.history(run.seq, block.first, block.last);
    const results = journal.results(run.seq, block.first, block.last);
    const attempts = journal.attempts(run.seq, block.first, block.last);
    const leaders = journal.leaders(run.seq, block.first, block.last);
    const dueTimes = run.status === "running" ? journal.waits.dueTimes(run.seq, block.first, block.last) : undefined;
    for (const row of block.rows()) {
      const outcome = results(row.index)?.outcome;
      const status = statusOf(outcome?.status, history.get(row.index));
      const code = outcome?.status === "failed" ? outcome.code : undefined;
      if (filter.status !== undefined && filter.status !== status) continue;
      if (filter.code !== undefined && filter.code !== code) continue;
      const mapped = mapInput(row);
      const sameAs = leaders.get(row.index);
      const waitingUntil = dueTimes?.get(row.index);
      yield {
        row: row.index,
        line: row.line,
        status,
        cells: Object.fromEntries(run.staged.header.map((name, i) => [name, row.cells[i] ?? ""])),
        ...("input" in mapped ? { input: mapped.input } : {}),
        attempts: attempts(row.index),
        ...(waitingUntil === undefined ? {} : { waitingUntil }),
        ...(sameAs === undefined ? {} : { sameAs }),
      };
    }
  }
}

function statusOf(decided: "succeeded" | "failed" | undefined, history: RowHistory | undefined): RowStatus {
  return decided ?? (history?.underWay === true ? "in_flight" : "pending");
}

const surveyedRows = 20_000;
const mostSlices = 240;
const slowestShown = 10;
const sliceLengths = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400].map((s) => s * 1000);

/**
 * What became of a run's rows. The journal is read in pieces with room for other work between them: the run that is looked at
 * may be going in this process.
 *
 * @param source - without a table when the run's copy of it cannot be read
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
  for (let first = 0; first < run.staged.rows; first += surveyedRows) {
    const last = Math.min(first + surveyedRows, run.staged.rows) - 1;
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
    failures: await failuresOf(source, reader),
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

function failuresOf({ journal, run, table }: SurveySource, reader: RowReader): Promise<FailureSummary[]> {
  const described = reader.failures().map(async (failure) => {
    const { row } = failure;
    const outcome = journal.results(run.seq, row, row)(row)?.outcome;
    const { message = "", hint } = outcome?.status === "failed" ? outcome : {};
    return {
      ...failure,
      ...(table === undefined ? {} : { line: await table.lineOf(row) }),
      message,
      ...(hint === undefined ? {} : { hint }),
    };
  });
  return Promise.all(described);
}

/** What reading a page takes. */
export interface PageSource {
  readonly journal: Journal;
  readonly run: RunRecord;
  readonly table: OpenTable;
  readonly selection: RowSelection;
}

type SurveySource = Pick<PageSource, "journal" | "run"> & { readonly table: OpenTable | undefined };

const pieceRows = 10_000;
const rankedPieceRows = 50_000;
// A search that finds little ends its page here; the next one goes on.
const searchedRows = 100_000;

/**
 * Some rows of a run. What does not stand as asked is skipped in the journal, which is read in pieces with room for other work
 * between them; only rows of the page, and those that are searched for a text, are read from the table.
 *
 * @throws RowcallError USAGE_INVALID for an `after` that no page had
 */
export async function readPage(source: PageSource, query: RowQuery): Promise<RowPage> {
  const reader = source.journal.openRowReader(source.run.seq);
  const found = (query.order ?? "row") === "row" ? inOrder(source, reader, query) : ranked(source, reader, query);
  const { rows, next } = await found;
  const reports = new Map<number, RowReport>();
  const { journal, run, table } = source;
  for await (const report of reportRows(journal, run, table, selectionOf(rows), {})) reports.set(report.row, report);
  return { rows: rows.flatMap((row) => reports.get(row) ?? []), ...(next === undefined ? {} : { next }) };
}

interface Found {
  readonly rows: readonly number[];
  readonly next?: string;
}

async function inOrder(source: PageSource, reader: RowReader, query: RowQuery): Promise<Found> {
  const { limit, descending = false } = query;
  const [after] = readCursor(query.after, 1);
  const end = source.run.staged.rows - 1;
  const range: RowSelection =
    after === undefined ? [[0, end]] : descending ? [[0, after - 1]] : [[Math.min(after + 1, end + 1), end]];
  const rows: number[] = [];
  let searched = 0;
  for (const [first, last] of pieces(overlap(source.selection, range), pieceRows, descending)) {
    const standing = reader.standing(query, first, last);
    const candidates: RowSelection = standing === undefined ? [[first, last]] : selectionOf(standing);
    const hits = query.text === undefined ? rowsOf(candidates) : await search(source, candidates, query.text);
    for (const row of descending ? hits.toReversed() : hits) {
      if (rows.length === limit) return { rows, next: String(rows.at(-1)) };
      rows.push(row);
    }
    if (query.text !== undefined) searched += last - first + 1;
    if (searched >= searchedRows && rows.length < limit) {
      const at = descending ? first : last;
      return { rows, ...(at === (descending ? 0 : end) ? {} : { next: String(at) }) };
    }
    await breathe();
  }
  return { rows };
}

async function ranked(source: PageSource, reader: RowReader, query: RowQuery): Promise<Found> {
  const { limit, text } = query;
  const [value, row] = readCursor(query.after, 2);
  let after = value === undefined || row === undefined ? undefined : { value, row };
  const many = text === undefined ? limit + 1 : 1000;
  const rows: number[] = [];
  for (let searched = 0; searched < searchedRows / 10;) {
    const next = await rankedAfter(source, reader, query, after, many);
    const hits =
      text === undefined
        ? undefined
        : new Set(await search(source, selectionOf(next.map((entry) => entry.row).toSorted((a, b) => a - b)), text));
    for (const entry of next) {
      if (rows.length === limit && after !== undefined) return { rows, next: cursorOf(after) };
      if (hits === undefined || hits.has(entry.row)) rows.push(entry.row);
      after = entry;
    }
    if (next.length < many) return { rows };
    searched += next.length;
  }
  return { rows, ...(after === undefined ? {} : { next: cursorOf(after) }) };
}

async function rankedAfter(
  { run }: PageSource,
  reader: RowReader,
  query: RowQuery,
  after: RankedRow | undefined,
  many: number,
): Promise<readonly RankedRow[]> {
  const { descending = false } = query;
  const order = query.order === "attempts" ? "attempts" : "duration";
  let best: RankedRow[] = [];
  for (const [first, last] of pieces([[0, run.staged.rows - 1]], rankedPieceRows, false)) {
    best.push(...reader.ranked(order, descending, query, first, last, after, many));
    best = best
      .toSorted((a, b) => (descending ? b.value - a.value : a.value - b.value) || a.row - b.row)
      .slice(0, many);
    await breathe();
  }
  return best;
}

/** Rows that have the text in a cell, or in what decided them. */
async function search({ journal, run, table }: PageSource, rows: RowSelection, text: string): Promise<number[]> {
  const needle = text.toLowerCase();
  const has = (value: string | null): boolean => value?.toLowerCase().includes(needle) === true;
  const hits: number[] = [];
  for await (const block of table.blocks(rows)) {
    const texts = journal.texts(run.seq, block.first, block.last);
    for (const { index, cells } of block.rows()) {
      const { output, message } = texts(index);
      // Names of fields are in the JSON too: what it seems to have is looked at again.
      const isHit = cells.some(has) || has(message) || (has(output) && hasValue(parseJson(output ?? ""), has));
      if (isHit) hits.push(index);
    }
  }
  return hits;
}

function hasValue(value: unknown, has: (text: string) => boolean): boolean {
  if (typeof value !== "object" || value === null) return has(String(value));
  return Object.values(value).some((part) => hasValue(part, has));
}

function* pieces(selection: RowSelection, most: number, descending: boolean): Generator<readonly [number, number]> {
  for (const [first, last] of descending ? selection.toReversed() : selection) {
    if (descending) for (let end = last; end >= first; end -= most) yield [Math.max(first, end - most + 1), end];
    else for (let at = first; at <= last; at += most) yield [at, Math.min(last, at + most - 1)];
  }
}

function rowsOf(selection: RowSelection): number[] {
  return selection.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
}

/** Rows in any order as ranges. */
function selectionOf(rows: readonly number[]): RowSelection {
  const ranges: [number, number][] = [];
  for (const row of rows.toSorted((a, b) => a - b)) {
    const before = ranges.at(-1);
    if (before !== undefined && before[1] === row - 1) before[1] = row;
    else ranges.push([row, row]);
  }
  return ranges;
}

function cursorOf({ value, row }: RankedRow): string {
  return `${value}.${row}`;
}

function readCursor(text: string | undefined, many: 1 | 2): readonly (number | undefined)[] {
  if (text === undefined) return [];
  const parts = text.split(".").map(Number);
  // A clock that was set back makes a duration negative.
  const pattern = many === 1 ? /^\d+$/ : /^-?\d+\.\d+$/;
  if (pattern.test(text) && parts.every(Number.isSafeInteger)) return parts;
  throw new RowcallError("USAGE_INVALID", `No page of this list was followed by "${text}"`, {
    hint: "Give `next` of the page before as it is, with the same order and filters, or leave it out to begin.",
  });
}
