import { createHash } from "node:crypto";
import type { RowSelection } from "../core/engine.ts";
import { createMapper, type MapInput } from "../table/map.ts";
import type { OpenTable } from "../table/staging.ts";
import type { RunRecord } from "./journal.ts";

/** The keys by which rows with the same mapped input are told. */
export async function* inputKeys(setup: {
  readonly run: RunRecord;
  readonly table: OpenTable;
  readonly selection: RowSelection;
}): AsyncGenerator<{ row: number; key: Uint8Array }[]> {
  const mapInput = mapperOf(setup);
  for await (const block of setup.table.blocks(setup.selection)) {
    yield block.rows().flatMap((row) => {
      const mapped = mapInput(row);
      if ("failure" in mapped) return [];
      return [
        { row: row.index, key: createHash("sha256").update(JSON.stringify(mapped.input)).digest().subarray(0, 16) },
      ];
    });
  }
}

/** Maps rows of a run to inputs of its agent. */
export function mapperOf({
  run: { batch, staged, agent },
}: {
  readonly run: Pick<RunRecord, "batch" | "staged" | "agent">;
}): MapInput {
  return createMapper(batch.inputMapping, staged.header, staged.dialect.ragged, agent);
}
