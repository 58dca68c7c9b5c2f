import type { RowSelection, StartRequest } from "../core/engine.ts";
import { RowcallError } from "../core/errors.ts";
import type { Batch, RunnableBatch } from "../core/batch.ts";
import { createMapper } from "../table/map.ts";
import { stageTable } from "../table/staging.ts";
import type { RunRecord, NewRun } from "./journal.ts";
import { rm } from "node:fs/promises";
import { explainDatabaseError } from "./database-errors.ts";
import type { Services } from "../core/services.ts";
import { requireNoCollision } from "../table/enrich.ts";
import { digestObject } from "./output-uri.ts";
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

/** A request whose batch says where it reads and writes. */
export interface RunnableRequest extends StartRequest {
  readonly batch: RunnableBatch;
}

/**
 * The batch, if it says where it reads and writes.
 *
 * @throws RowcallError BATCH_INVALID when it does not
 */
export function requireRunnable(batch: Batch): RunnableBatch {
  const { inputUri, output } = batch;
  if (inputUri === undefined) throw missingPlace("input");
  if (output === undefined) throw missingPlace("output");
  return { ...batch, inputUri, output };
}

function missingPlace(place: "input" | "output"): RowcallError {
  return new RowcallError("BATCH_INVALID", `The batch names no ${place}`, {
    hint: `Give --${place}, or set ${place} in the batch file.`,
  });
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
  readonly request: RunnableRequest;
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
  const { inputUri } = batch;
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
export async function isSameRun(services: Services, earlier: RunRecord, request: RunnableRequest): Promise<boolean> {
  const before = identityOf({ batch: earlier.batch, ...earlier.request });
  if (JSON.stringify(identityOf(request)) !== JSON.stringify(before)) return false;
  const { sha256 } = await digestObject(services.store, request.batch.inputUri);
  return sha256 === earlier.staged.sha256;
}

function choiceOf({ rows, limit }: StartRequest): Pick<StartRequest, "rows" | "limit"> {
  return { rows, limit };
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
