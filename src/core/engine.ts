import type { Attempt } from "./attempt.ts";
import type { Batch, OutputMapping } from "./batch.ts";
import type { Delivery } from "./channel.ts";
import type { ErrorCode } from "./errors.ts";
import type { JsonObject } from "./json.ts";
import type { Run } from "./run.ts";

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
  | { readonly type: "warning"; readonly message: string; readonly hint?: string }
  | { readonly type: "notice"; readonly message: string };

/** Who watches a run. */
export interface RunObserver {
  /** Aborted to drain: rows in flight finish, no new one starts, the run is `interrupted`. */
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
  /** Index of the row whose result this one shares (`dedupe`). */
  readonly sameAs?: number;
}

/** What of a run may be changed while it goes. */
export interface RunLimits {
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

/** How a run is written again. */
export interface ExportRequest {
  /** Output prefix, file, or `-` for standard output. */
  readonly output: string;
  readonly format: "csv" | "jsonl";
  /** Another mapping than the batch's. */
  readonly outputMapping?: OutputMapping;
  readonly force?: boolean;
}

/** Starts, describes, stops and resumes runs. Every method throws RUN_NOT_FOUND for an unknown id; a run is known by id or name. */
export interface Engine {
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
   * @returns the run as it ended; where runs are not gone on with in place, another one that has taken over what this one decided
   */
  resume(id: string, observer?: RunObserver): Promise<Run>;
  /** Attempts failed rows again, all or those whose code is listed, and writes the whole table anew; returns as `resume` does. */
  rerun(id: string, codes: readonly ErrorCode[] | undefined, observer?: RunObserver): Promise<Run>;
  /** Asks a run, here or in another process, to drain and stop. */
  stop(id: string): Promise<Run>;
  describe(id: string): Promise<Run>;
  /** The limits that hold for a run now. */
  limits(id: string): Promise<RunLimits>;
  /**
   * Changes limits of a run, here or in another process, at once; they also hold when it is resumed. What is absent stays.
   *
   * @returns the limits that hold now
   * @throws RowcallError USAGE_INVALID for a limit out of range
   */
  adjust(id: string, change: Partial<RunLimits>): Promise<RunLimits>;
  /** Newest first. */
  list(): Promise<readonly Run[]>;
  rows(id: string, filter?: RowFilter): AsyncIterable<RowReport>;
  /**
   * Writes a run's table again, also while it is going.
   *
   * @returns URI of what was written
   */
  export(id: string, request: ExportRequest): Promise<string>;
  /**
   * Sends the notifications of how a run ended that have failed or never went; with `all` also those that have arrived, under
   * new ids. What was owed for an earlier end of the run is not sent any more.
   *
   * @returns where each channel stands now; empty when the batch tells nobody of how the run stands
   * @throws RowcallError RUN_BUSY while the run is going
   */
  notify(id: string, options?: { readonly all?: boolean }, observer?: RunObserver): Promise<readonly Delivery[]>;
  /** Every notification of a run, oldest first. */
  deliveries(id: string): Promise<readonly Delivery[]>;
  close(): Promise<void>;
}
