import type { ErrorCode } from "../../core/errors.ts";
import type { RowCounts } from "../../core/run.ts";

/** One line of the log; its time is added. */
export interface LogEntry {
  /** `error`: the command ends with it. `warn`: it goes on, and somebody should look. */
  readonly level: "info" | "warn" | "error";
  /** What happened, for people. */
  readonly message: string;
  /** What to do next. */
  readonly hint?: string | undefined;
  /** What kind of thing happened, for programs: `run_started`, `row_failed`. */
  readonly event?: string;
  readonly code?: ErrorCode | undefined;
  readonly run?: string | undefined;
  /** 0-based. */
  readonly row?: number;
  /** 1-based. */
  readonly attempt?: number;
  readonly agent?: string;
  readonly worker?: string | undefined;
  readonly activity?: string;
  readonly status?: string;
  readonly counts?: RowCounts;
  readonly output?: string | undefined;
  readonly duration_ms?: number | undefined;
  readonly details?: Readonly<Record<string, unknown>>;
  /** What `--json` prints, where standard output is the table itself. */
  readonly result?: unknown;
}

/** Writes an entry as one line of JSON. */
export type JsonLog = (entry: LogEntry) => void;
