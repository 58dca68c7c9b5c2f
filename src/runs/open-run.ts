import { createHash } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { RowSelection } from "../core/engine.ts";
import { RowcallError } from "../core/errors.ts";
import type { ObjectStore } from "../core/object-store.ts";
import { createMapper, type MapInput, type Mapped } from "../table/map.ts";
import {
  openTable,
  stagedFiles,
  stageTable,
  verifyTable,
  type Block,
  type OpenTable,
  type StagedTable,
} from "../table/staging.ts";
import type { Journal, RowHistory, RunRecord } from "./journal.ts";
import { chooseRows } from "./new-run.ts";

/** A run that is open: its table, and the journal that knows what became of its rows. Every reader and writer of a run takes one. */
export interface OpenRun {
  readonly journal: Journal;
  readonly run: RunRecord;
  readonly table: OpenTable;
  /** The rows that were asked for. */
  readonly selection: RowSelection;
  readonly mapInput: MapInput;
  close(): Promise<void>;
}

/** Opens a run over its table, which is closed with it. */
export function openRun(journal: Journal, run: RunRecord, table: OpenTable): OpenRun {
  const { batch, staged, agent, request } = run;
  let mapper: MapInput | undefined;
  return {
    journal,
    run,
    table,
    selection: chooseRows(staged.rows, request.rows, request.limit).selection,
    mapInput: (row) => {
      mapper ??= createMapper(batch.inputMapping, staged.header, staged.dialect.ragged, agent);
      return mapper(row);
    },
    close: () => table.close(),
  };
}

/** A row that is not decided. */
export interface PendingRow {
  /** 0-based index. */
  readonly row: number;
  /** 1-based number of its next attempt. */
  readonly number: number;
  /** What is known of its attempts; undefined when there were none. */
  readonly past: RowHistory | undefined;
  /** The agent's input, or why there is none. */
  readonly mapped: Mapped;
}

/** The rows that are not decided and share no other row's result, some hundreds at a time. */
export async function* pendingRows(open: OpenRun): AsyncGenerator<readonly PendingRow[]> {
  const { journal, run, table, selection, mapInput } = open;
  for await (const block of table.blocks(selection)) {
    const history = journal.history(run.seq, block.first, block.last);
    const leaders = journal.leaders(run.seq, block.first, block.last);
    const isPending = (row: number): boolean => history.get(row)?.decided !== true && !leaders.has(row);
    // A block that is done need not be parsed.
    if (!hasRow(block, isPending)) continue;
    yield block.rows().flatMap((row): PendingRow[] => {
      const { index } = row;
      if (!isPending(index)) return [];
      const past = history.get(index);
      return [{ row: index, number: (past?.lastNumber ?? 0) + 1, past, mapped: mapInput(row) }];
    });
  }
}

function hasRow({ first, last }: Block, isWanted: (row: number) => boolean): boolean {
  for (let row = first; row <= last; row += 1) if (isWanted(row)) return true;
  return false;
}

/** Notes which rows have the same input, when the batch asks for that: the first of them is attempted for all. */
export async function noteDuplicates(open: OpenRun): Promise<void> {
  const { journal, run } = open;
  if (run.batch.execution.dedupe) await journal.noteDuplicates(run.seq, inputKeys(open));
}

async function* inputKeys({ table, selection, mapInput }: OpenRun): AsyncGenerator<{ row: number; key: Uint8Array }[]> {
  for await (const block of table.blocks(selection)) {
    yield block.rows().flatMap((row) => {
      const mapped = mapInput(row);
      if ("failure" in mapped) return [];
      const key = createHash("sha256").update(JSON.stringify(mapped.input)).digest().subarray(0, 16);
      return [{ row: row.index, key }];
    });
  }
}

/** How a run's copy of its input is opened. */
export interface TableAccess {
  readonly store: ObjectStore;
  /** The run's folder. */
  readonly directory: string;
  /** Whether every byte is compared with what was staged, not the sizes alone. @default false */
  readonly verified?: boolean;
  /** Whether a damaged copy may be made anew from the input: who says so holds the run's lock. @default false */
  readonly mend?: boolean;
}

/**
 * Opens a run's copy of its input. One that is damaged or gone is made anew when that is allowed and the input is still the same.
 *
 * @throws RowcallError RUN_DAMAGED
 */
export async function openRunTable(run: RunRecord, access: TableAccess): Promise<OpenTable> {
  const { store, directory, verified = false, mend = false } = access;
  try {
    if (verified) await verifyTable(directory, run.staged);
    return await openTable(directory, run.staged);
  } catch (error) {
    if (!(error instanceof RowcallError) || error.code !== "RUN_DAMAGED") throw error;
    if (mend && (await mendTable(run, store, directory))) return openTable(directory, run.staged);
    const { id, batch } = run;
    throw new RowcallError(
      "RUN_DAMAGED",
      `The copy of its input that run ${id} works on is damaged: ${error.message}`,
      {
        hint:
          `\`rowcall show ${id}\` still tells what became of its rows. Put ${batch.inputUri} back as it was, ` +
          `and \`rowcall resume ${id}\` or \`rowcall export ${id}\` makes the copy anew.`,
        cause: error,
      },
    );
  }
}

async function mendTable({ batch, staged }: RunRecord, store: ObjectStore, directory: string): Promise<boolean> {
  const fresh = join(directory, "mended");
  try {
    if (!isSame(await stageTable(() => store.read(batch.inputUri), batch.dialect, fresh), staged)) return false;
    for (const name of stagedFiles) await rename(join(fresh, name), join(directory, name));
    return true;
  } catch {
    // The input is gone or is no table any more: the damage is what is told.
    return false;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

function isSame(one: StagedTable, other: StagedTable): boolean {
  const identity = ({ sha256, size, rows, headerEnd, width }: StagedTable): string =>
    JSON.stringify([sha256, size, rows, headerEnd, width]);
  return identity(one) === identity(other);
}
