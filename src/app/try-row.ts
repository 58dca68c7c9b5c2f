import type { AgentInput, Invoker } from "../core/agent.ts";
import { outcomeOf, type Attempt, type FailedOutcome } from "../core/attempt.ts";
import type { Batch } from "../core/batch.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { Services } from "../core/services.ts";
import { createEnricher } from "../table/enrich.ts";
import { createMapper } from "../table/map.ts";
import { cellText } from "../table/write.ts";
import { attemptRow } from "../attempt/attempt-row.ts";
import { recordingsUri } from "../runs/recordings-uri.ts";
import { makeRow, readRow, replaceCells, type NamedRow } from "../table/pick-row.ts";
import { agentEnvironment, resolveAgent } from "../attempt/resolve-agent.ts";
import { referenceOf } from "../core/registry.ts";

/** One row to try outside a run. */
export interface TryChoice {
  /** 0-based row of the batch's input. @default none: the row is made of `cells` alone, or 0 when these are absent too */
  readonly row?: number;
  /** Cells by column, laid over those of the row. */
  readonly cells?: Readonly<Record<string, string>>;
  /** The agent's input as it is; then nothing is mapped. */
  readonly input?: JsonObject;
}

/** Everything about one row and its attempt; plain data. */
export interface TryResult {
  /** `name@version`. */
  readonly agent: string;
  readonly row: number;
  /** 1-based line of the input. */
  readonly line: number;
  /** Original cells by column. */
  readonly cells: Readonly<Record<string, string>>;
  /** Undefined when the row cannot be mapped. */
  readonly input?: JsonObject;
  /** What the agent would do with the input, where its kind can tell. */
  readonly preview?: JsonValue;
  /** What the agent answered, before anything was made of it. */
  readonly reply?: JsonValue;
  readonly attempt: Attempt;
  /** The row as the output would have it. */
  readonly enriched: readonly { readonly column: string; readonly value: string }[];
}

/** A row to try, and how. */
export interface TryRequest extends TryChoice {
  /** Prefix of recordings when the batch names none. */
  readonly recordingsPrefix: string;
  /** Aborted to end the attempt. */
  readonly signal?: AbortSignal;
}

/**
 * Runs the agent once for one row, without a run, and shows everything about it.
 *
 * @throws RowcallError for anything wrong with batch, agent or mapping; what is wrong with the row is the attempt's outcome
 */
export async function tryRow(services: Services, given: Batch, request: TryRequest): Promise<TryResult> {
  const { recordingsPrefix, signal, input: whole } = request;
  const batch = whole === undefined ? given : withInput(given, whole);
  const { header, row } = await rowOf(services, batch, request);
  const { definition, fields } = await resolveAgent(services, batch);
  const mapped = createMapper(batch.inputMapping, header, batch.dialect.ragged, definition)(row);
  const enrich = (attempt: Attempt): TryResult["enriched"] => {
    const { outputMapping: mapping } = batch;
    const anyFailed = attempt.outcome.status === "failed";
    const enricher = createEnricher({ mapping, fields, header, agentVersion: definition.version, anyFailed });
    const original = mapping.includeOriginal ? header.map((column, i) => ({ column, value: row.cells[i] ?? "" })) : [];
    const cells = enricher.enrichRow({ row: row.index, attempt }).map((cell) => cellText(cell, mapping.formulaSafe));
    return [...original, ...enricher.columns.map((column, i) => ({ column, value: cells[i] ?? "" }))];
  };
  const report = {
    agent: referenceOf(definition),
    row: row.index,
    line: row.line,
    cells: Object.fromEntries(header.map((name, i) => [name, row.cells[i] ?? ""])),
  };
  if ("failure" in mapped) {
    const attempt = notMade(row.index, services.clock(), mapped.failure);
    return { ...report, attempt, enriched: enrich(attempt) };
  }
  const { input } = mapped;
  const invoker = await services.openAgent(definition, { ...agentEnvironment(services, batch), concurrency: 1 });
  try {
    const preview = previewOf(invoker, input);
    if (preview !== undefined && "failure" in preview) {
      const attempt = notMade(row.index, services.clock(), preview.failure);
      return { ...report, input, attempt, enriched: enrich(attempt) };
    }
    const { attempt, reply } = await attemptRow(services, {
      batch,
      definition,
      invoker,
      row: row.index,
      input,
      recordingsUri: recordingsOf("try", services, batch, recordingsPrefix),
      signal,
    });
    return {
      ...report,
      input,
      ...preview,
      ...(reply === undefined ? {} : { reply }),
      attempt,
      enriched: enrich(attempt),
    };
  } finally {
    await invoker.close();
  }
}

/** Where an attempt outside a run keeps its recordings: `PREFIX/try-20251018-053000`. */
export function recordingsOf(what: "plan" | "try", { clock }: Services, batch: Batch, prefix: string): string {
  const at = new Date(clock()).toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  return recordingsUri(batch, prefix, `${what}-${at}`);
}

/** The batch with an input that no column is mapped to. */
function withInput(batch: Batch, input: JsonObject): Batch {
  const selection = { kind: "none" } as const;
  return { ...batch, inputMapping: { selection, columns: [], transformations: [], staticValues: input } };
}

async function rowOf(services: Services, batch: Batch, { row, cells, input }: TryChoice): Promise<NamedRow> {
  if (input !== undefined && row === undefined) return { header: [], row: { index: 0, line: 2, cells: [] } };
  if (row === undefined && cells !== undefined) return makeRow(batch, cells);
  return replaceCells(await readRow(services, batch, row ?? 0), cells ?? {});
}

function previewOf(
  invoker: Invoker,
  input: AgentInput,
): { readonly preview: JsonValue } | { readonly failure: FailedOutcome } | undefined {
  try {
    const preview = invoker.preview?.(input);
    return preview === undefined ? undefined : { preview };
  } catch (thrown) {
    return { failure: outcomeOf(thrown) };
  }
}

function notMade(row: number, at: number, outcome: FailedOutcome): Attempt {
  return { row, number: 1, startedAt: at, endedAt: at, outcome, steps: [], artifacts: [] };
}
