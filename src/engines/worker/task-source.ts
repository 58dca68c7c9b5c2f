import type { TakenTask, TokenVerdict } from "../../core/activity.ts";

/** What asking for a task brings. */
export type Taking =
  | { readonly status: "task"; readonly task: TakenTask }
  /** There was none for as long as one is waited for. */
  | { readonly status: "none" }
  /** The activity is not there; `others` are, as far as they may be listed. */
  | { readonly status: "no_activity"; readonly others: readonly string[] };

/**
 * Where the worker of one activity gets its tasks and whom it answers. Every method throws a RowcallError: a retryable one when
 * nobody could be reached, another one when asking again is of no use.
 */
export interface TaskSource {
  /** Asks for a task; waits for one up to a minute, and no longer than until the signal is aborted. */
  take(signal: AbortSignal): Promise<Taking>;
  heartbeat(token: string): Promise<TokenVerdict>;
  succeed(token: string, output: string): Promise<TokenVerdict>;
  fail(token: string, error: string, cause: string): Promise<TokenVerdict>;
  close(): Promise<void>;
}
