import type { RowSelection, StartRequest } from "../core/engine.ts";
import { RowcallError } from "../core/errors.ts";
import { createHash } from "node:crypto";
import { createMapper, type MapInput } from "../table/map.ts";
import { type OpenTable, stageTable } from "../table/staging.ts";
import type { RunRecord, NewRun } from "./journal.ts";
import { rm } from "node:fs/promises";
import { explainDatabaseError } from "./database-errors.ts";
import type { Services } from "../core/services.ts";
import { requireNoCollision } from "../table/enrich.ts";
import { recordingsUri } from "./recordings-uri.ts";
import type { BatchAgent } from "../attempt/resolve-agent.ts";

/**
 * The rows that a request chooses, and how many they are.
 *
 * @throws RowcallError USAGE_INVALID when a row is asked for that the table does not have
 */
export function chooseRows(
  rows: number,
  wanted: RowSelection | undefined,
  limit: number | undefined,
): { selection: RowSelection; total: number } {
  const ranges = wanted ?? (rows === 0 ? [] : [[0, rows - 1] as const]);
  const beyond = ranges.find(([, last]) => last >= rows);
  if (beyond !== undefined) {
    throw new RowcallError("USAGE_INVALID", `Row ${beyond[1]} is not in the input, which has ${rows} rows`, {
      hint:
        rows === 0
          ? "The input has a header and nothing else."
          : `Rows are counted from 0: the last one is ${rows - 1}.`,
    });
  }
  const selection: (readonly [number, number])[] = [];
  let total = 0;
  for (const [first, last] of ranges) {
    const many = Math.min(last - first + 1, (limit ?? Number.POSITIVE_INFINITY) - total);
    if (many <= 0) break;
    selection.push([first, first + many - 1]);
    total += many;
  }
  return { selection, total };
}

/** The rows that are in both selections; an absent one has all rows. */
export function overlap(selection: RowSelection, other: RowSelection | undefined): RowSelection {
  if (other === undefined) return selection;
  return selection.flatMap(([first, last]) =>
    other.map(([from, to]) => [Math.max(first, from), Math.min(last, to)] as const).filter(([from, to]) => from <= to),
  );
}

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

/** Where a batch reads and writes. */
export interface Places {
  readonly inputUri: string;
  readonly output: string;
}

/**
 * Where the batch of a request reads and writes.
 *
 * @throws RowcallError BATCH_INVALID when it does not say
 */
export function requirePlaces({ batch }: StartRequest): Places {
  const { inputUri, output } = batch;
  if (inputUri === undefined)
    throw new RowcallError("BATCH_INVALID", "The batch names no input", {
      hint: "Give --input, or set input in the batch file.",
    });
  if (output === undefined)
    throw new RowcallError("BATCH_INVALID", "The batch names no output", {
      hint: "Give --output, or set output in the batch file.",
    });
  return { inputUri, output };
}

/** A run's id: when it was made, to the second and in UTC, and four characters by chance. */
export function createRunId({ clock, random }: Pick<Services, "clock" | "random">): string {
  const stamp = new Date(clock()).toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  return `${stamp}-${Math.floor(random() * 36 ** 4)
    .toString(36)
    .padStart(4, "0")}`;
}

/** What staging a run takes. */
export interface StageSetup {
  readonly services: Services;
  readonly dataDirectory: string;
  /** Prefix of recordings when the batch names none. */
  readonly recordingsPrefix: string;
  /** The run's own folder. */
  readonly directory: string;
  readonly id: string;
  readonly request: StartRequest;
  readonly agent: BatchAgent;
}

/**
 * Copies a run's input into its folder and checks everything that can be checked before a row is spent. When something is wrong
 * the folder is removed.
 *
 * @throws RowcallError INPUT_NOT_FOUND, INPUT_EMPTY, INPUT_MALFORMED, INPUT_ENCODING, COLUMN_MISSING, COLUMN_DUPLICATE,
 * COLUMN_COLLISION, USAGE_INVALID, STORE_FAILED
 */
export async function stageRun(setup: StageSetup): Promise<NewRun> {
  const { services, dataDirectory, recordingsPrefix, directory, id, request, agent } = setup;
  const { batch } = request;
  const { definition, fields } = agent;
  const { inputUri } = requirePlaces(request);
  try {
    const staged = await stageTable(() => services.store.read(inputUri), batch.dialect, directory);
    createMapper(batch.inputMapping, staged.header, staged.dialect.ragged, definition);
    requireNoCollision(batch.outputMapping, fields, staged.header);
    const { total } = chooseRows(staged.rows, request.rows, request.limit);
    return {
      id,
      name: request.name ?? batch.name ?? null,
      batch,
      agent: definition,
      fields,
      request: { ...choiceOf(request), ...(request.force === true ? { force: true } : {}) },
      staged,
      total,
      createdAt: services.clock(),
      recordingsUri: recordingsUri(batch, recordingsPrefix, id),
    };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw stagingError(error, inputUri, dataDirectory);
  }
}

/** Whether a request asks for the very run that was made before: the same batch, rows and input. */
export async function isSameRun(services: Services, earlier: RunRecord, request: StartRequest): Promise<boolean> {
  const before = identityOf({ batch: earlier.batch, ...earlier.request });
  if (JSON.stringify(identityOf(request)) !== JSON.stringify(before)) return false;
  const digest = createHash("sha256");
  for await (const chunk of services.store.read(requirePlaces(request).inputUri)) digest.update(chunk);
  return digest.digest("hex") === earlier.staged.sha256;
}

function choiceOf({ rows, limit }: StartRequest): Pick<StartRequest, "rows" | "limit"> {
  return { ...(rows === undefined ? {} : { rows }), ...(limit === undefined ? {} : { limit }) };
}

function identityOf(request: StartRequest): unknown {
  // Where attempts are made is no part of what is asked.
  const { name: _name, execution, ...batch } = request.batch;
  const { dispatch: _dispatch, ...asked } = execution;
  return { batch, execution: asked, ...choiceOf(request) };
}

// The store puts its own errors into words; what is left comes from the run's own copy.
function stagingError(error: unknown, inputUri: string, dataDirectory: string): unknown {
  if (error instanceof RowcallError) return error.code === "STORE_NOT_FOUND" ? notFoundInput(error, inputUri) : error;
  if (!(error instanceof Error) || !("syscall" in error)) return explainDatabaseError(error);
  return new RowcallError("STORE_FAILED", `The input cannot be copied to ${dataDirectory}: ${error.message}`, {
    hint: "Make room on that disk, or choose another folder with --data-dir.",
    cause: error,
  });
}

function notFoundInput(error: RowcallError, inputUri: string): RowcallError {
  return new RowcallError("INPUT_NOT_FOUND", `There is no input ${inputUri}`, {
    hint: error.hint ?? "Check --input, or input in the batch file.",
    cause: error,
  });
}
