import type { FailedOutcome } from "../core/attempt.ts";
import type { Engine } from "../core/engine.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { Run } from "../core/run.ts";

/** Rows that failed alike. */
export interface FailureGroup {
  readonly code: ErrorCode;
  /** How many rows. */
  readonly count: number;
  /** Index of the first of them. */
  readonly row: number;
  /** Of the first of them. */
  readonly message: string;
  readonly hint?: string;
}

/** How long one row took. */
export interface SlowRow {
  readonly row: number;
  readonly attempts: number;
  /** All its attempts together, waits between them left out. */
  readonly durationMs: number;
}

/** What one worker did for a run. */
export interface WorkerShare {
  readonly worker: string;
  readonly attempts: number;
  /** Attempts during which it was lost. */
  readonly lost: number;
}

/** The failed rows of a run by code, most frequent first. */
export async function failuresOf(engine: Pick<Engine, "rows">, run: Run): Promise<readonly FailureGroup[]> {
  if (run.counts.failed === 0) return [];
  const groups = new Map<ErrorCode, FailureGroup>();
  const outcomes = new Map<number, FailedOutcome>();
  for await (const { row, attempts, sameAs } of engine.rows(run.id, { status: "failed" })) {
    const last = attempts.at(-1)?.outcome;
    const outcome = sameAs === undefined ? last : outcomes.get(sameAs);
    if (outcome?.status !== "failed") continue;
    const { code, message, hint } = outcome;
    outcomes.set(row, outcome);
    const group = groups.get(code) ?? { code, count: 0, row, message, ...(hint === undefined ? {} : { hint }) };
    groups.set(code, { ...group, count: group.count + 1 });
  }
  return [...groups.values()].toSorted((a, b) => b.count - a.count);
}

/** The rows that took longest, slowest first. */
export async function slowestRows(engine: Engine, run: Run, many: number): Promise<readonly SlowRow[]> {
  let slowest: SlowRow[] = [];
  for await (const { row, attempts } of engine.rows(run.id)) {
    if (attempts.length === 0) continue;
    const durationMs = attempts.reduce((sum, { startedAt, endedAt }) => sum + endedAt - startedAt, 0);
    if (slowest.length === many && durationMs <= (slowest.at(-1)?.durationMs ?? 0)) continue;
    slowest = [...slowest, { row, attempts: attempts.length, durationMs }]
      .toSorted((a, b) => b.durationMs - a.durationMs)
      .slice(0, many);
  }
  return slowest;
}

/** Who made a run's attempts, in order of their names; nobody when its own process did. */
export async function workersOf(engine: Engine, run: Run): Promise<readonly WorkerShare[]> {
  const shares = new Map<string, WorkerShare>();
  for await (const { attempts } of engine.rows(run.id)) {
    for (const { worker, outcome } of attempts) {
      if (worker === undefined) continue;
      const share = shares.get(worker) ?? { worker, attempts: 0, lost: 0 };
      const lost = outcome.status === "failed" && outcome.code === "WORKER_LOST" ? 1 : 0;
      shares.set(worker, { worker, attempts: share.attempts + 1, lost: share.lost + lost });
    }
  }
  return [...shares.values()].toSorted((a, b) => (a.worker < b.worker ? -1 : 1));
}
