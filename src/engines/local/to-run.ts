import type { Run } from "../../core/run.ts";
import type { RunRecord } from "./journal.ts";

/**
 * A run as others see it.
 *
 * @param workers - workers on line, for a run that leaves its rows to them
 */
export function toRun(run: RunRecord, status: Run["status"], inFlight: number, workers?: number): Run {
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
    createdAt,
    ...(endedAt === null ? {} : { endedAt }),
    ...(reason === null ? {} : { reason }),
    ...(workers === undefined ? {} : { workers }),
  };
}
