import type { RunLimits } from "../core/engine.ts";
import type { ExecutionStatus } from "./execution.ts";

/** An execution as it is listed. Times are milliseconds since 1970, UTC. */
export interface ListedExecution {
  readonly arn: string;
  readonly name: string;
  readonly status: ExecutionStatus;
  readonly startedAt: number;
  readonly stoppedAt?: number;
}

/** An execution as it is described. */
export interface DescribedExecution extends ListedExecution {
  /** JSON text. */
  readonly input: string;
  /** JSON text. */
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}

/** What a distributed map does with its items. */
export interface DescribedMapRun {
  readonly maxConcurrency: number;
  /** How many items stand where. */
  readonly items: Readonly<Record<"pending" | "running" | "succeeded" | "failed" | "timedOut" | "aborted", number>>;
}

/**
 * One state machine of AWS Step Functions and its executions. Every method throws AWS_DENIED when the user has to correct something, and
 * AWS_FAILED when another try may go better.
 */
export interface StepFunctions {
  readonly stateMachineArn: string;
  /**
   * Starts an execution, or finds the one of that name and input that is going.
   *
   * @returns undefined when another execution has that name, or had it within the last 90 days
   */
  start(name: string, input: string): Promise<Pick<ListedExecution, "arn" | "startedAt"> | undefined>;
  /** Undefined when there is no such execution. */
  describe(arn: string): Promise<DescribedExecution | undefined>;
  /** The machine's executions, newest first, some hundreds at a time. */
  list(): AsyncIterable<readonly ListedExecution[]>;
  /** Executions of a map run's items that stand so, some hundreds at a time. */
  listItems(mapRunArn: string, status: "SUCCEEDED" | "FAILED"): AsyncIterable<readonly ListedExecution[]>;
  /** Ends an execution at once; one that has ended stays as it is. */
  stop(arn: string, error: string, cause: string): Promise<void>;
  /**
   * Goes on with an execution that was ended before its time.
   *
   * @returns false when that cannot be done any more
   */
  redrive(arn: string): Promise<boolean>;
  /** ARNs of an execution's map runs, oldest first. */
  mapRuns(executionArn: string): Promise<readonly string[]>;
  describeMapRun(arn: string): Promise<DescribedMapRun>;
  updateMapRun(arn: string, change: Partial<RunLimits>): Promise<void>;
  close(): void;
}
