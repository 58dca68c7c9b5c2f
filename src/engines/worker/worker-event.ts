import type { Outcome } from "../../core/attempt.ts";

/** Which attempt is spoken of. */
export interface AttemptName {
  readonly runId: string;
  /** 0-based. */
  readonly row: number;
  readonly attempt: number;
}

/** What a worker tells while it works. */
export type WorkerEvent =
  | { readonly type: "started"; readonly concurrency: number }
  /** Nobody can be reached, or the activity is not there: told once until it is over. */
  | { readonly type: "waiting"; readonly message: string; readonly hint?: string }
  | { readonly type: "reached" }
  | ({ readonly type: "taken" } & AttemptName)
  | ({ readonly type: "ended"; readonly outcome: Outcome; readonly durationMs: number } & AttemptName)
  /** The task had ended without this worker: its result is dropped. */
  | ({ readonly type: "dropped"; readonly reason: string } & AttemptName)
  | { readonly type: "warning"; readonly message: string; readonly hint?: string }
  | { readonly type: "draining"; readonly underWay: number }
  | { readonly type: "stopped"; readonly tasks: number };
