import type { Run } from "../core/run.ts";
import type { RunRecord } from "./journal.ts";
import type { Execution } from "../core/batch.ts";
import type { RunLimits } from "../core/engine.ts";
import { RowcallError } from "../core/errors.ts";
import { referenceOf } from "../core/registry.ts";

/**
 * A run as others see it.
 *
 * @param more - of a run that is going: workers on line, when it leaves its rows to them, and rows that wait
 */
export function toRun(
  run: RunRecord,
  status: Run["status"],
  inFlight: number,
  { workers, waiting }: { readonly [K in "workers" | "waiting"]?: Run[K] | undefined } = {},
): Run {
  const { id, name, total, succeeded, failed, createdAt, endedAt, outputUri, recordingsUri, reason } = run;
  return {
    id,
    ...(name === null ? {} : { name }),
    status,
    ...(run.limits?.paused === true && status !== "succeeded" ? { paused: true as const } : {}),
    agent: referenceOf(run.agent),
    inputUri: run.batch.inputUri,
    ...(outputUri === null ? {} : { outputUri }),
    recordingsUri,
    counts: { total, succeeded, failed, inFlight, pending: total - succeeded - failed - inFlight },
    ...(waiting === undefined ? {} : { waiting }),
    createdAt,
    ...(endedAt === null ? {} : { endedAt }),
    ...(reason === null ? {} : { reason }),
    ...(workers === undefined ? {} : { workers }),
  };
}

/** The limits of a run: the batch's, with what was changed since laid over them. */
export function limitsOf({ batch, limits }: Pick<RunRecord, "batch" | "limits">): RunLimits {
  const { maxConcurrency, toleratedFailurePercentage, toleratedFailureCount }: Execution = batch.execution;
  return {
    maxConcurrency,
    ...(toleratedFailurePercentage === undefined ? {} : { toleratedFailurePercentage }),
    ...(toleratedFailureCount === undefined ? {} : { toleratedFailureCount }),
    ...limits,
  };
}

/** @throws RowcallError USAGE_INVALID for a limit out of range */
export function checkLimits(change: Partial<RunLimits>): void {
  const { maxConcurrency, toleratedFailurePercentage, toleratedFailureCount } = change;
  const isCount = (value: number, least: number): boolean => Number.isSafeInteger(value) && value >= least;
  if (maxConcurrency !== undefined && !isCount(maxConcurrency, 1))
    throw outOfRange("max_concurrency", maxConcurrency, "a whole number, 1 or more");
  if (toleratedFailureCount !== undefined && !isCount(toleratedFailureCount, 0))
    throw outOfRange("tolerated_failure_count", toleratedFailureCount, "a whole number, 0 or more");
  if (
    toleratedFailurePercentage !== undefined &&
    !(toleratedFailurePercentage >= 0 && toleratedFailurePercentage <= 100)
  )
    throw outOfRange("tolerated_failure_percentage", toleratedFailurePercentage, "a number from 0 to 100");
}

/** Rows that may be in flight at once now. */
export function allowedConcurrency({ paused, maxConcurrency }: RunLimits): number {
  return paused === true ? 0 : maxConcurrency;
}

function outOfRange(name: string, value: number, range: string): RowcallError {
  return new RowcallError("USAGE_INVALID", `${name} cannot be ${value}`, { hint: `Give ${range}.` });
}

/** Why a run with so many failed rows goes no further; undefined while it may. */
export function toleranceReason(limits: RunLimits, failed: number, total: number): string | undefined {
  const { toleratedFailureCount, toleratedFailurePercentage } = limits;
  if (toleratedFailureCount !== undefined && failed > toleratedFailureCount) {
    return `${failed} rows failed, more than the tolerated ${toleratedFailureCount}`;
  }
  if (toleratedFailurePercentage !== undefined && failed * 100 > toleratedFailurePercentage * total) {
    return `${failed} of ${total} rows failed, more than the tolerated ${toleratedFailurePercentage} %`;
  }
  return undefined;
}
