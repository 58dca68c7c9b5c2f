import type { FailedOutcome } from "../core/attempt.ts";
import type { Engine, FailureSummary } from "../core/engine.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { Run } from "../core/run.ts";

/** The failed rows of a run by code, most frequent first. */
export async function failuresOf(engine: Pick<Engine, "rows">, run: Run): Promise<readonly FailureSummary[]> {
  if (run.counts.failed === 0) return [];
  const groups = new Map<ErrorCode, FailureSummary>();
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
