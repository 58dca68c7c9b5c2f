import type { FailedOutcome } from "../../core/attempt.ts";
import type { JsonValue } from "../../core/json.ts";
import { createMapper } from "../../table/map.ts";
import type { StagedRun } from "./staged-run.ts";

/** A row that is not decided yet. */
export interface OpenRow {
  /** 0-based index. */
  readonly row: number;
  /** 1-based number of its next attempt. */
  readonly number: number;
  /** Undefined when it cannot be mapped. */
  readonly input?: JsonValue;
  /** Why it cannot be mapped. */
  readonly failure?: FailedOutcome;
}

/** The rows that nobody has decided and that lead no others' results, some hundreds at a time. */
export async function* openRows({ journal, run, table, selection }: StagedRun): AsyncGenerator<readonly OpenRow[]> {
  const { batch, staged, agent, seq } = run;
  const mapInput = createMapper(batch.inputMapping, staged.header, staged.dialect.ragged, agent);
  for await (const block of table.blocks(selection)) {
    const history = journal.history(seq, block.first, block.last);
    const leaders = journal.leaders(seq, block.first, block.last);
    yield block.rows().flatMap((row): OpenRow[] => {
      const past = history.get(row.index);
      if (past?.decided === true || leaders.has(row.index)) return [];
      return [{ row: row.index, number: (past?.lastNumber ?? 0) + 1, ...mapInput(row) }];
    });
  }
}
