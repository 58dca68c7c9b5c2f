import type { JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { ObjectStore } from "../../core/object-store.ts";
import { stoppedOnRequest, type Run, type RowCounts } from "../../core/run.ts";
import type { DescribedExecution, DescribedMapRun, ListedExecution } from "../../aws/step-functions.ts";
import { joinUri } from "../../core/uri.ts";
import type { RunSummary } from "./finish.ts";
import { runIdOf } from "./run-id.ts";
import { readJsonIfThere, runFiles, type RunReference } from "./run-folder.ts";
import type { PreparedRun } from "./staged-run.ts";

/** A run on AWS: its execution, and what its folder says of it. */
export interface FoundRun extends RunReference {
  readonly execution: ListedExecution & Partial<DescribedExecution>;
  /** Undefined before Prepare has done its work, when it refused, and when the folder has expired. */
  readonly prepared?: PreparedRun;
  /** Undefined while the execution is going, and when it ended without Finish. */
  readonly summary?: RunSummary;
}

/** Reads what an execution's folder says. */
export async function readRun(
  store: ObjectStore,
  runsUri: string,
  execution: FoundRun["execution"],
): Promise<FoundRun> {
  const id = runIdOf(execution.arn, execution.startedAt);
  const uri = joinUri(runsUri, id);
  const prepared = await readJsonIfThere(store, joinUri(uri, runFiles.run));
  const isOver = execution.status !== "RUNNING" && prepared !== undefined;
  const summary = isOver ? await readJsonIfThere(store, joinUri(uri, runFiles.summary)) : undefined;
  return {
    id,
    uri,
    execution,
    ...(prepared === undefined ? {} : { prepared: prepared as unknown as PreparedRun }),
    ...(summary === undefined ? {} : { summary: summary as unknown as RunSummary }),
  };
}

/**
 * A run as others see it.
 *
 * @param mapRun - how its map stands, while there is no summary
 */
export function toRun({ id, execution, prepared, summary }: FoundRun, mapRun?: DescribedMapRun): Run {
  const { name, startedAt: createdAt, stoppedAt: endedAt } = execution;
  const common = { id, ...(name === id ? {} : { name }), createdAt, ...(endedAt === undefined ? {} : { endedAt }) };
  if (summary !== undefined) return { ...summary.run, ...common };
  const { status, reason } = standing(execution);
  if (prepared === undefined) {
    const told = tellingOf(execution);
    return { ...common, status, agent: "", ...told, ...(reason === undefined ? {} : { reason }) };
  }
  const { run } = prepared;
  return {
    ...common,
    status,
    agent: `${run.agent.agent_name}@${run.agent.version}`,
    inputUri: run.batch.inputUri ?? "",
    recordingsUri: run.recordingsUri,
    counts: countsOf(prepared, mapRun),
    ...(reason === undefined ? {} : { reason }),
  };
}

// Duplicates count as pending until the run is written: only then it is told whose result they share.
function countsOf({ run: { total }, counts }: PreparedRun, mapRun: DescribedMapRun | undefined): RowCounts {
  const items = mapRun?.items;
  const succeeded = counts.succeeded + (items?.succeeded ?? 0);
  const failed = counts.failed + counts.refused + (items?.failed ?? 0) + (items?.timedOut ?? 0);
  const inFlight = items?.running ?? 0;
  return { total, succeeded, failed, inFlight, pending: Math.max(0, total - succeeded - failed - inFlight) };
}

function standing({ status, error, cause }: FoundRun["execution"]): Pick<Run, "status" | "reason"> {
  switch (status) {
    case "RUNNING":
      return { status: "running" };
    case "SUCCEEDED":
      return { status: "succeeded" };
    case "ABORTED":
      return { status: "stopped", reason: cause ?? error ?? stoppedOnRequest };
    case "TIMED_OUT":
      return { status: "failed", reason: "The execution reached its time limit" };
    case "FAILED":
      return { status: "failed", reason: [error, cause].filter((part) => part !== undefined).join(": ") };
  }
}

// What is left of a run whose folder has expired, or never was.
function tellingOf({ input, output }: FoundRun["execution"]): Pick<Run, "inputUri" | "outputUri" | "counts"> {
  const asked = parse(input);
  const told = parse(output);
  const total = Number(told["total_rows"] ?? 0);
  const succeeded = Number(told["successful_rows"] ?? 0);
  const failed = Number(told["failed_rows"] ?? 0);
  const inputUri = asked["input_csv_s3_uri"] ?? asked["csv_s3_uri"] ?? asked["input"];
  const outputUri = told["output_csv_s3_uri"];
  return {
    inputUri: typeof inputUri === "string" ? inputUri : "",
    ...(typeof outputUri === "string" ? { outputUri } : {}),
    counts: { total, succeeded, failed, inFlight: 0, pending: total - succeeded - failed },
  };
}

function parse(text: string | undefined): Readonly<Record<string, JsonValue | undefined>> {
  const value = text === undefined ? null : (JSON.parse(text) as JsonValue);
  return isJsonObject(value) ? value : {};
}
