import type { RowFilter, RowReport, RowSelection, RowStatus } from "../core/engine.ts";
import { createMapper } from "../table/map.ts";
import type { Journal, RowHistory, RunRecord } from "./journal.ts";
import type { OpenTable } from "../table/staging.ts";

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
