import type { TakenTask, TokenVerdict } from "../../core/activity.ts";
import type { Outcome } from "../../core/attempt.ts";
import { setTimeout as wait } from "node:timers/promises";

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

/** Signs of life for one task. */
export interface Heartbeats {
  /** Aborted when the task turns out to have ended without this worker. */
  readonly lost: AbortSignal;
  stop(): void;
}

/**
 * Gives signs of life for a task, three in the time that one is due, until stopped. They come from the loop that does the work, so
 * a worker that hangs falls silent.
 *
 * @param seconds - longest silence that is allowed; undefined: none are asked for
 */
export function startHeartbeats(tasks: TaskSource, token: string, seconds: number | undefined): Heartbeats {
  const lost = new AbortController();
  let isAsking = false;
  const beat = async (): Promise<void> => {
    if (isAsking || lost.signal.aborted) return;
    isAsking = true;
    try {
      if ((await tasks.heartbeat(token)) !== "accepted") lost.abort();
    } catch {
      // The next one may get through; if none does, the task is somebody else's.
    } finally {
      isAsking = false;
    }
  };
  const timer = seconds === undefined ? undefined : setInterval(() => void beat(), (seconds * 1000) / 3);
  return { lost: lost.signal, stop: () => clearInterval(timer) };
}

/** How long to wait after so many failures in a row, 1-based: milliseconds. */
export type Backoff = (failures: number) => number;

const longestMs = 30_000;

/** From half a second, doubled each time up to half a minute; a random half is taken off, so that a fleet does not come back as one. */
export function createBackoff(random: () => number): Backoff {
  return (failures) => Math.min(500 * 2 ** (failures - 1), longestMs) * (1 - random() / 2);
}

/** Waits, and no longer than until the signal is aborted. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await wait(milliseconds, undefined, { signal }).catch(() => undefined);
}
