import type { JsonObject } from "../core/json.ts";
import type { RunLimits } from "../core/engine.ts";

/** Where an execution stands; the words are Step Functions' own. */
const executionStatuses = ["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"] as const;
/** One of {@link executionStatuses}. */
export type ExecutionStatus = (typeof executionStatuses)[number];

/** One run of a state machine. Times are milliseconds since 1970, UTC. */
export interface Execution {
  readonly machine: string;
  /** Unique within the machine. */
  readonly name: string;
  /** JSON text, as it was given. */
  readonly input: string;
  readonly status: ExecutionStatus;
  readonly startedAt: number;
  readonly stoppedAt?: number;
  /** JSON text. */
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
  /** Id of the run that does the work of a batch. */
  readonly runId?: string;
  /** How often it was gone on with after it had failed or been stopped. */
  readonly redrives: number;
  readonly redrivenAt?: number;
  /** Given with the last redrive, so that the same request twice is one redrive. */
  readonly redriveToken?: string;
}

/** Which execution. */
export type ExecutionId = Pick<Execution, "machine" | "name">;

/** What of an execution changes; `undefined` takes a value away. */
export type ExecutionPatch = {
  readonly [Key in Exclude<keyof Execution, "machine" | "name" | "input" | "startedAt">]?: Execution[Key] | undefined;
};

/** Something that happened in an execution, with the names that Step Functions gives it. */
export interface HistoryEvent {
  /** 1-based, without gaps. */
  readonly id: number;
  /** The event that led to this one; 0 when none did. */
  readonly previous: number;
  readonly at: number;
  /** `MapRunStarted`. */
  readonly type: string;
  /** What Step Functions puts under `…EventDetails`; inputs and outputs as JSON text. */
  readonly details?: JsonObject;
}

/** Which executions; what is absent is any. */
export interface ExecutionFilter {
  readonly machine?: string;
  readonly status?: ExecutionStatus;
  readonly redriven?: boolean;
}

/** The durable memory of executions. What is written is on disk when the call returns. */
export interface ExecutionJournal {
  /** When a machine of that name was first offered; now, if it is new. */
  firstOffered(machine: string): number;
  /** Notes a new execution and its first event. */
  create(execution: ExecutionId & Pick<Execution, "input">, event: NewEvent): Execution;
  find(id: ExecutionId): Execution | undefined;
  findByRun(runId: string): Execution | undefined;
  /** Newest first, at most so many, and of those only what is older than `before`. */
  list(filter: ExecutionFilter, many: number, before?: ExecutionId): readonly Execution[];
  update(id: ExecutionId, patch: ExecutionPatch, event?: NewEvent): Execution;
  /** Adds an event and answers its id; undefined when the execution is not RUNNING any more. */
  tell(id: ExecutionId, event: NewEvent): number | undefined;
  /** Events from the oldest or the newest on, at most so many, and of those only what comes after the event `beyond`. */
  history(id: ExecutionId, first: "oldest" | "newest", many: number, beyond?: number): readonly HistoryEvent[];
  close(): void;
}

/** An event to be noted. */
export interface NewEvent extends Pick<HistoryEvent, "type" | "details"> {
  /** The event that led to this one. @default the one before it */
  readonly previous?: number;
}

/** Starts, stops and remembers executions. */
export interface Executions extends Pick<ExecutionJournal, "firstOffered" | "find" | "findByRun" | "list" | "history"> {
  /** Starts an execution whose name is free in the machine. */
  start(request: ExecutionId & Pick<Execution, "input">): Execution;
  /** Ends an execution as ABORTED; one that has ended is shown as it is. */
  stop(id: ExecutionId, reason: Pick<Execution, "error" | "cause">): Execution;
  /** Goes on with an execution that has ended without success. */
  redrive(id: ExecutionId, token: string | undefined): Execution;
  /** Lets what is under way come to a point where it can be gone on with, and ends. Executions that are not done stay RUNNING. */
  close(): Promise<void>;
}

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
