import { setImmediate as breathe } from "node:timers/promises";
import type { RowFilter, RowPage, RowQuery, RowReport, RowSelection, RowStatus } from "../core/engine.ts";
import { RowcallError } from "../core/errors.ts";
import { parseJson } from "../core/json.ts";
import type { RowHistory } from "./journal.ts";
import { overlap } from "./new-run.ts";
import type { OpenRun } from "./open-run.ts";
import type { RankedRow, RowReader } from "./row-reader.ts";

/** A run's rows with their history, in order. */
export async function* reportRows(open: OpenRun, filter: RowFilter): AsyncGenerator<RowReport> {
  const { journal, run, table, selection, mapInput } = open;
  for await (const block of table.blocks(overlap(selection, filter.rows))) {
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
export async function readPage(open: OpenRun, query: RowQuery): Promise<RowPage> {
  const reader = open.journal.openRowReader(open.run.seq);
  const found = (query.order ?? "row") === "row" ? inOrder(open, reader, query) : ranked(open, reader, query);
  const { rows, next } = await found;
  const reports = new Map<number, RowReport>();
  for await (const report of reportRows(open, { rows: selectionOf(rows) })) reports.set(report.row, report);
  return { rows: rows.flatMap((row) => reports.get(row) ?? []), ...(next === undefined ? {} : { next }) };
}

interface Found {
  readonly rows: readonly number[];
  readonly next?: string;
}

async function inOrder(open: OpenRun, reader: RowReader, query: RowQuery): Promise<Found> {
  const { limit, descending = false } = query;
  const [after] = readCursor(query.after, 1);
  const end = open.run.staged.rows - 1;
  const range: RowSelection =
    after === undefined ? [[0, end]] : descending ? [[0, after - 1]] : [[Math.min(after + 1, end + 1), end]];
  const rows: number[] = [];
  let searched = 0;
  for (const [first, last] of pieces(overlap(open.selection, range), pieceRows, descending)) {
    const standing = reader.standing(query, first, last);
    const candidates: RowSelection = standing === undefined ? [[first, last]] : selectionOf(standing);
    const hits = query.text === undefined ? rowsOf(candidates) : await search(open, candidates, query.text);
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

async function ranked(open: OpenRun, reader: RowReader, query: RowQuery): Promise<Found> {
  const { limit, text } = query;
  const [value, row] = readCursor(query.after, 2);
  let after = value === undefined || row === undefined ? undefined : { value, row };
  const many = text === undefined ? limit + 1 : 1000;
  const rows: number[] = [];
  for (let searched = 0; searched < searchedRows / 10;) {
    const next = await rankedAfter(open, reader, query, after, many);
    const hits =
      text === undefined
        ? undefined
        : new Set(await search(open, selectionOf(next.map((entry) => entry.row).toSorted((a, b) => a - b)), text));
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
  { run }: OpenRun,
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
async function search({ journal, run, table }: OpenRun, rows: RowSelection, text: string): Promise<number[]> {
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
