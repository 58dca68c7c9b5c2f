import type { Run } from "../core/run.ts";
import type { RunRecord } from "./journal.ts";

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
    agent: `${run.agent.agent_name}@${run.agent.version}`,
    inputUri: run.batch.inputUri ?? "",
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
