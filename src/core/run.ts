import type { ErrorCode } from "./errors.ts";

/**
 * Where a run stands.
 *
 * `succeeded`: every row is final and the output is written, rows that failed included. `stopped`: by `rowcall stop` or a
 * tolerance. `interrupted`: the process ended. `failed`: something outside the rows broke. The last three can be resumed.
 */
export const runStatuses = ["running", "succeeded", "failed", "stopped", "interrupted"] as const;
/** One of {@link runStatuses}. */
export type RunStatus = (typeof runStatuses)[number];

/** The reason of a run that somebody asked to stop. */
export const stoppedOnRequest = "Stopped on request";

/** Rows that wait for their next attempt. */
export interface WaitingRows {
  /** How many. */
  readonly rows: number;
  /** When the first of them is due, milliseconds since 1970, UTC; past while no place is free for it. */
  readonly until: number;
  /** The first of them, and how its last attempt failed. */
  readonly row: number;
  readonly code: ErrorCode;
  readonly message: string;
}

/** How many rows stand where; `total` is the sum of the others. */
export interface RowCounts {
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly inFlight: number;
  readonly pending: number;
}

/** One execution of a batch. */
export interface Run {
  readonly id: string;
  /** Given by the user; starting another run with the same name continues or shows this one. */
  readonly name?: string;
  readonly status: RunStatus;
  /** Whether no attempt starts until somebody says so. */
  readonly paused?: true;
  readonly agent: string;
  readonly inputUri: string;
  /** Where the newest output was written. */
  readonly outputUri?: string;
  readonly recordingsUri?: string;
  readonly counts: RowCounts;
  /** Of a running run, while rows wait for their next attempt. */
  readonly waiting?: WaitingRows;
  /** Milliseconds since 1970, UTC. */
  readonly createdAt: number;
  readonly endedAt?: number;
  /** Workers that are on line for a running run, when it leaves its rows to workers. */
  readonly workers?: number;
  /** Why the run stopped, when it did not simply finish. */
  readonly reason?: string;
}

/** The status of a run for people: one that starts no row until somebody says so is paused. */
export function shownStatus({ status, paused }: Pick<Run, "status" | "paused">): RunStatus | "paused" {
  return status === "running" && paused === true ? "paused" : status;
}
