import type { JsonValue } from "../../src/core/json.ts";
import type { Execution, ExecutionStatus } from "./execution.ts";
import type { Tolerance } from "./tolerance.ts";

/** What a Map Run runs as one execution: an item, or a batch of items. */
export interface MapChild {
  readonly input: JsonValue;
  readonly items: number;
  /** Undefined until it is started. */
  execution?: Execution;
}

/** A Map Run. */
export interface MapRun {
  readonly arn: string;
  readonly executionArn: string;
  /** ARN of the children's machine: `…:stateMachine:batch/Rows`. */
  readonly machineArn: string;
  readonly startedAt: Date;
  maxConcurrency: number;
  tolerance: Tolerance;
  children: readonly MapChild[];
  status: "RUNNING" | "SUCCEEDED" | "FAILED" | "ABORTED";
  stoppedAt?: Date;
  /** Results that have been written, or handed on. */
  resultsWritten: boolean;
  /** Set while it is going: heeds limits that were changed. */
  heed?: () => void;
}

/** Counts as DescribeMapRun has them. */
export interface MapRunCounts {
  readonly aborted: number;
  readonly failed: number;
  readonly pending: number;
  readonly resultsWritten: number;
  readonly running: number;
  readonly succeeded: number;
  readonly timedOut: number;
  readonly total: number;
}

/** A Map Run as DescribeMapRun gives it. */
export interface MapRunDescription {
  readonly mapRunArn: string;
  readonly executionArn: string;
  readonly status: MapRun["status"];
  readonly startDate: Date;
  readonly stopDate?: Date;
  readonly maxConcurrency: number;
  readonly toleratedFailureCount: number;
  readonly toleratedFailurePercentage: number;
  readonly itemCounts: MapRunCounts;
  readonly executionCounts: MapRunCounts;
}

/** Describes a Map Run as it stands. */
export function describeMapRun(run: MapRun): MapRunDescription {
  return {
    mapRunArn: run.arn,
    executionArn: run.executionArn,
    status: run.status,
    startDate: run.startedAt,
    ...(run.stoppedAt === undefined ? {} : { stopDate: run.stoppedAt }),
    maxConcurrency: run.maxConcurrency,
    toleratedFailureCount: run.tolerance.count ?? 0,
    toleratedFailurePercentage: run.tolerance.percentage ?? 0,
    itemCounts: count(run, ({ items }) => items),
    executionCounts: count(run, () => 1),
  };
}

/** How a child stands. */
export function childStatus({ execution }: MapChild): ExecutionStatus | "PENDING" {
  return execution?.status ?? "PENDING";
}

const countNames = {
  PENDING: "pending",
  RUNNING: "running",
  SUCCEEDED: "succeeded",
  FAILED: "failed",
  TIMED_OUT: "timedOut",
  ABORTED: "aborted",
} as const;

function count({ children, resultsWritten }: MapRun, weigh: (child: MapChild) => number): MapRunCounts {
  const counts = {
    aborted: 0,
    failed: 0,
    pending: 0,
    resultsWritten: 0,
    running: 0,
    succeeded: 0,
    timedOut: 0,
    total: 0,
  };
  for (const child of children) {
    const weight = weigh(child);
    const status = childStatus(child);
    counts.total += weight;
    counts[countNames[status]] += weight;
    if (resultsWritten && status !== "PENDING" && status !== "RUNNING") counts.resultsWritten += weight;
  }
  return counts;
}
