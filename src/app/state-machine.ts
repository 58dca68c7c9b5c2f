import { messageOf, RowcallError } from "../core/errors.ts";
import type { Execution, HistoryEvent, NewEvent } from "../runs/execution-journal.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { stoppedOnRequest, type Run } from "../core/run.ts";

/** What was thrown as the error and cause of an execution: our errors by their code, with the hint in the cause. */
export function failureOf(thrown: unknown): Pick<Execution, "error" | "cause"> {
  if (thrown instanceof ExecutionFailure) {
    const { error, cause } = thrown;
    return { error, ...(cause === undefined ? {} : { cause }) };
  }
  if (!(thrown instanceof RowcallError)) return { error: "States.Runtime", cause: messageOf(thrown) };
  const { code, message, hint } = thrown;
  return { error: code, cause: hint === undefined ? message : `${message}. ${hint}` };
}

/**
 * The output of a batch processor's execution whose run has ended.
 *
 * @throws ExecutionFailure when more rows failed than were tolerated; RowcallError INTERRUPTED when the run did not end by itself
 */
export function batchOutput(run: Run): JsonObject {
  const { id, status, counts, outputUri, recordingsUri, reason } = run;
  if (status === "succeeded") {
    return {
      status: "SUCCEEDED",
      run_id: id,
      output_csv_s3_uri: outputUri,
      recordings_uri: recordingsUri,
      total_rows: counts.total,
      successful_rows: counts.succeeded,
      failed_rows: counts.failed,
    };
  }
  if (status === "stopped" && reason !== stoppedOnRequest) {
    throw new ExecutionFailure(
      "States.ExceedToleratedFailureThreshold",
      `The specified tolerated failure threshold was exceeded: ${reason ?? ""}. Of ${counts.total} rows ${counts.succeeded} ` +
        `succeeded, ${counts.failed} failed and ${counts.pending} were not begun. What there is: ${outputUri ?? "none"}`,
    );
  }
  throw new RowcallError("INTERRUPTED", `Run ${id} is ${status}: ${reason ?? "it did not end"}`, {
    hint: "Redrive the execution to go on with it.",
  });
}

/** What a machine has to work with in one execution. */
export interface ExecutionContext {
  readonly execution: Execution;
  readonly input: JsonValue;
  /** What happened so far; more than the start when the execution goes on after a break or a redrive. */
  readonly history: readonly HistoryEvent[];
  /** Aborted when the execution is stopped. What the machine tells while it is being aborted still counts. */
  readonly stop: AbortSignal;
  /** Aborted when the process is about to end: what cannot be done at once is left for the next one, by throwing INTERRUPTED. */
  readonly drain: AbortSignal;
  /**
   * Notes what happens.
   *
   * @returns id of the event
   */
  tell(event: NewEvent): number;
  /** Notes the run that does the work. */
  noteRun(runId: string): void;
}

/** Something that can be executed by name. */
export interface StateMachine {
  readonly name: string;
  /** What it does, in Amazon States Language as far as that has words for it. */
  readonly definition: JsonObject;
  /** Its map state's label, when its executions are runs over the rows of a table. */
  readonly mapLabel?: string;
  /**
   * Does one execution.
   *
   * @returns its output
   * @throws ExecutionFailure with the error and cause that the execution ends with; of a RowcallError they are code and message
   */
  run(context: ExecutionContext): Promise<JsonValue>;
}

/** Ends an execution with an error that is none of our codes, such as `States.Timeout`. */
export class ExecutionFailure extends Error {
  override readonly name = "ExecutionFailure";
  readonly error: string;
  /** A sentence or JSON. */
  override readonly cause: string | undefined;

  constructor(error: string, cause?: string) {
    super(cause ?? error);
    this.error = error;
    this.cause = cause;
  }
}

/** The machines that there are. */
export interface StateMachines {
  /** Sorted by name. */
  list(): Promise<readonly StateMachine[]>;
  find(name: string): Promise<StateMachine | undefined>;
}
