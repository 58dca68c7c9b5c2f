import type { AgentInput, Invoker } from "../core/agent.ts";
import type { Attempt, FailedOutcome } from "../core/attempt.ts";
import type { Batch } from "../core/batch.ts";
import type { JsonValue } from "../core/json.ts";
import type { Services } from "../core/services.ts";
import type { TryResult } from "../core/workbench.ts";
import { createEnricher } from "../row/enrich.ts";
import { createMapper } from "../row/map.ts";
import { outcomeOf } from "../row/run-attempt.ts";
import { cellText } from "../row/write.ts";
import { attemptRow } from "./attempt-row.ts";
import type { NamedRow } from "./pick-row.ts";
import { agentEnvironment, resolveAgent } from "./resolve-agent.ts";

/** A row to try. */
export interface TryRequest {
  readonly batch: Batch;
  readonly row: NamedRow;
  /** Prefix of the folder `{row}-1` that artifacts go to. */
  readonly recordingsUri: string;
  /** Aborted to end the attempt. */
  readonly signal?: AbortSignal;
}

/**
 * Runs the agent once for one row, without a run, and shows everything about it.
 *
 * @throws RowcallError for anything wrong with batch, agent or mapping; what is wrong with the row is the attempt's outcome
 */
export async function tryRow(services: Services, request: TryRequest): Promise<TryResult> {
  const { batch, recordingsUri, signal } = request;
  const { header, row } = request.row;
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
    agent: `${definition.agent_name}@${definition.version}`,
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
      recordingsUri,
      ...(signal === undefined ? {} : { signal }),
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
