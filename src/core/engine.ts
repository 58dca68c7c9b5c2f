import type { Attempt } from "./attempt.ts";
import type { Batch, OutputMapping } from "./batch.ts";
import type { Delivery } from "./channel.ts";
import type { ErrorCode, Warning } from "./errors.ts";
import type { JsonObject } from "./json.ts";
import type { Run, RunStatus } from "./run.ts";

/** Which rows take part: 0-based, ends included, sorted and not overlapping. */
export type RowSelection = readonly (readonly [first: number, last: number])[];

/** A run to start. */
export interface StartRequest {
  /** With `inputUri` and `output` set. */
  readonly batch: Batch;
  /** A second start with the same name continues the run, or shows it when it has ended. */
  readonly name?: string;
  /** Only these rows. @default all */
  readonly rows?: RowSelection;
  /** Only the first so many of the rows chosen. @default all */
  readonly limit?: number;
  /** Replace an output file that exists. @default false */
  readonly force?: boolean;
}

/** What a run tells while it goes. */
export type RunEvent =
  | { readonly type: "started"; readonly run: Run }
  | { readonly type: "progress"; readonly run: Run }
  | { readonly type: "attempt"; readonly attempt: Attempt; readonly final: boolean }
  | ({ readonly type: "warning" } & Warning)
  | { readonly type: "notice"; readonly message: string };

/** Who watches a run. */
export interface RunObserver {
  /** Aborted to drain: rows in flight finish and no new row starts, the run is `interrupted`. */
  readonly drain?: AbortSignal;
  onEvent?(event: RunEvent): void;
}

/** Where a row stands. */
export type RowStatus = "pending" | "in_flight" | "succeeded" | "failed";

/** A row with its history. */
export interface RowReport {
  readonly row: number;
  readonly line: number;
  readonly status: RowStatus;
  /** The original cells by column name. */
  readonly cells: Readonly<Record<string, string>>;
  /** Undefined when the row cannot be mapped. */
  readonly input?: JsonObject;
  readonly attempts: readonly Attempt[];
  /** When the next attempt of a waiting row is due, milliseconds since 1970, UTC; its last attempt says why it waits. */
  readonly waitingUntil?: number;
  /** Index of the row whose result this one shares (`dedupe`). */
  readonly sameAs?: number;
}

/** What of a run may be changed while it goes. */
export interface RunLimits {
  /** While true no attempt starts; those in flight finish. Holds, as all limits do, when the run is resumed. @default false */
  readonly paused?: boolean;
  readonly maxConcurrency: number;
  /** 0 to 100. */
  readonly toleratedFailurePercentage?: number;
  readonly toleratedFailureCount?: number;
}

/** Which rows of a run to report. */
export interface RowFilter {
  /** Only of these. @default all */
  readonly rows?: RowSelection;
  readonly status?: RowStatus;
  readonly code?: ErrorCode;
}

/** Which runs to list; what is absent chooses nothing out. */
export interface RunQuery {
  /** In the id, name, agent or input, in any case. */
  readonly text?: string;
  readonly status?: RunStatus;
  /** `name@version`. */
  readonly agent?: string;
  /** What the id begins with. */
  readonly idPrefix?: string;
  /** Only runs older than the one with this id. */
  readonly before?: string;
  /** At most so many. @default all */
  readonly limit?: number;
}

/** Which failed rows to attempt again; what is absent chooses nothing out. */
export interface RerunChoice {
  readonly codes?: readonly ErrorCode[];
  readonly rows?: RowSelection;
}

/** What rows can be ordered by: their place in the table, or what all their attempts together took, or how many these were. */
export const rowOrders = ["row", "duration", "attempts"] as const;
/** One of {@link rowOrders}. */
export type RowOrder = (typeof rowOrders)[number];

/** Which page of a run's rows to read. */
export interface RowQuery extends Pick<RowFilter, "status" | "code"> {
  /** In any cell, or in a value of the output or the error message that is final for the row, in any case. */
  readonly text?: string;
  /** In another order than by row, only rows that were attempted are listed. @default "row" */
  readonly order?: RowOrder;
  /** Largest first. @default false */
  readonly descending?: boolean;
  /** `next` of the page before. */
  readonly after?: string;
  /** Longest page. */
  readonly limit: number;
}

/** Some of a run's rows. */
export interface RowPage {
  readonly rows: readonly RowReport[];
  /** How to ask for what follows; a search ends a page early, even an empty one, rather than take long. */
  readonly next?: string;
}

/** Rows that failed alike. */
export interface FailureSummary {
  readonly code: ErrorCode;
  /** How many rows. */
  readonly count: number;
  /** Index of the first of them. */
  readonly row: number;
  /** 1-based line of the input on which that row begins; absent when the run's copy of its table is damaged. */
  readonly line?: number;
  /** Of the first of them. */
  readonly message: string;
  readonly hint?: string;
}

/** What became of a run's rows, and when. */
export interface RunSurvey {
  /** Most frequent first. */
  readonly failures: readonly FailureSummary[];
  /** Ten rows at most, slowest first: all attempts of a row together, waits between them left out. */
  readonly slowest: readonly { readonly row: number; readonly attempts: number; readonly durationMs: number }[];
  /** Attempts that ended, in time slices of the same length, oldest first; slices in which none ended are left out. */
  readonly timeline: {
    readonly sliceMs: number;
    /** `at`: beginning of the slice, milliseconds since 1970, UTC. */
    readonly slices: readonly { readonly at: number; readonly succeeded: number; readonly failed: number }[];
  };
  /** Who made the attempts, by name; empty when the run's own process did. `lost`: attempts during which it was lost. */
  readonly workers: readonly { readonly worker: string; readonly attempts: number; readonly lost: number }[];
  /** Attempts that ended. */
  readonly attempts: number;
  /** Mean over ended attempts; absent when there are none. */
  readonly meanAttemptMs?: number;
}

/** How a run is written again. */
export interface ExportRequest {
  /** Output prefix, file, or `-` for standard output. */
  readonly output: string;
  readonly format: "csv" | "jsonl";
  /** Another mapping than the batch's. */
  readonly outputMapping?: OutputMapping;
  /** Only the rows that failed. @default false */
  readonly failedOnly?: boolean;
  readonly force?: boolean;
}

/** A table that was written. */
export interface WrittenTable {
  readonly uri: string;
  /** What who reads it should know: fields that no answer had, characters that its encoding lacks. */
  readonly warnings: readonly Warning[];
}

/** A place that still holds, or may hold, rows of a run that was deleted. */
export interface KeptPlace {
  readonly uri: string;
  /** What it is, and why it is still there. */
  readonly why: string;
}

/** What was deleted of a run. */
export interface DeletedRun {
  readonly id: string;
  readonly name?: string;
  /** Rows that the run had. */
  readonly rows: number;
  /** Folders and files that are gone; what was in the journal is not named. */
  readonly removed: readonly string[];
  readonly left: readonly KeptPlace[];
}

/** Reads runs and their rows, whoever started them. Every method throws RUN_NOT_FOUND for an unknown id; a run is known by id or name. */
export interface RunReader {
  describe(id: string): Promise<Run>;
  /** Newest first. */
  list(query?: RunQuery): Promise<readonly Run[]>;
  /** The limits that hold for a run now. */
  limits(id: string): Promise<RunLimits>;
  /** The batch of a run, as it was started. */
  batch(id: string): Promise<Batch>;
  rows(id: string, filter?: RowFilter): AsyncIterable<RowReport>;
  /**
   * Some rows of a run, found without reading those before them.
   *
   * @throws RowcallError USAGE_INVALID for an `after` that no page had
   */
  page(id: string, query: RowQuery): Promise<RowPage>;
  /** What became of a run's rows, told without reading them all one by one; about a second for a million, in small pieces. */
  survey(id: string): Promise<RunSurvey>;
  /** The failures of a survey alone, found without reading the rows that succeeded. */
  failures(id: string): Promise<readonly FailureSummary[]>;
}

/** Runs batches, to the end of their rows or until the observer drains. */
export interface RunStarter {
  /**
   * Runs a batch to its end.
   *
   * @returns the run as it ended
   * @throws RowcallError for anything wrong with batch, agent or input, before a row has run; RUN_CONFLICT when the name
   * belongs to another batch; RUN_BUSY when another process is running it
   */
  start(request: StartRequest, observer?: RunObserver): Promise<Run>;
  /**
   * Goes on with a run that is interrupted or stopped. A finished run is shown as it is.
   *
   * @returns the run as it ended; where runs are not gone on with in place, another one that has taken over what is final in this one
   */
  resume(id: string, observer?: RunObserver): Promise<Run>;
  /** Attempts failed rows again, all or those chosen, and writes the whole table again; returns as `resume` does. */
  rerun(id: string, choice?: RerunChoice, observer?: RunObserver): Promise<Run>;
}

/** Acts on runs that are there, in this process or another one. */
export interface RunCommands {
  /** Asks a run to drain and stop. */
  stop(id: string): Promise<Run>;
  /**
   * Changes limits of a run at once; they also hold when it is resumed. What is absent stays.
   *
   * @returns the limits that hold now
   * @throws RowcallError USAGE_INVALID for a limit out of range, and for a pause where runs cannot be paused
   */
  adjust(id: string, change: Partial<RunLimits>): Promise<RunLimits>;
  /** Writes a run's table again, also while it is running. */
  export(id: string, request: ExportRequest): Promise<WrittenTable>;
  /**
   * Sends the notifications of how a run ended that have failed or never went; with `all` also those that have arrived, under
   * new ids. What was owed for an earlier end of the run is not sent any more.
   *
   * @returns where each channel stands now; empty when the batch tells nobody of how the run stands
   * @throws RowcallError RUN_BUSY while the run is running; USAGE_INVALID without `all` where no account is kept of what has arrived
   */
  notify(id: string, options?: { readonly all?: boolean }, observer?: RunObserver): Promise<readonly Delivery[]>;
  /**
   * Deletes everything that is kept of runs: never their input, nor an output or recordings whose place the batch names. A deletion
   * that is cut off leaves a run that can only be deleted again. With no run at all it finishes what earlier ones had to leave.
   *
   * @throws RowcallError RUN_BUSY when one of them is in flight: then none is deleted; RUN_CONFLICT when another run needs one
   */
  delete(ids: readonly string[]): Promise<readonly DeletedRun[]>;
}

/** Runs batches, keeps what became of them, and acts on them. */
export interface Engine extends RunReader, RunStarter, RunCommands {
  /** Every notification of a run, oldest first; absent where nobody keeps account of them. */
  deliveries?(id: string): Promise<readonly Delivery[]>;
  close(): Promise<void>;
}
