/** Work that waits to be fetched by workers; the model is Step Functions' activities. */
export interface Activity {
  readonly name: string;
  /** Milliseconds since 1970, UTC. */
  readonly createdAt: number;
}

/** A task to be done by a worker. */
export interface TaskRequest {
  /** Name of an activity that exists. */
  readonly activity: string;
  /** A task's identity: scheduling the same key again changes nothing, whatever became of the first. */
  readonly key: string;
  /** JSON text. */
  readonly input: string;
  /** Longest time between two signs of life of the worker; absent: no limit. */
  readonly heartbeatSeconds?: number;
  /** Longest time from when a worker takes the task; absent: no limit. */
  readonly timeoutSeconds?: number;
}

/** How a task ended. */
export type TaskEnd =
  | { readonly status: "succeeded"; readonly output: string }
  | { readonly status: "failed"; readonly error?: string; readonly cause?: string }
  | { readonly status: "timed_out"; readonly limit: "heartbeat" | "timeout" };

/** Where a task stands. Times are milliseconds since 1970, UTC. */
export interface TaskState {
  readonly key: string;
  readonly scheduledAt: number;
  readonly worker?: string;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly end?: TaskEnd;
}

/** A task as its worker gets it. */
export interface TakenTask {
  /** Proves that the task is this worker's; worthless once the task has ended. */
  readonly token: string;
  readonly input: string;
}

/** What became of a worker's word about a task: `unknown` when no such token was ever given, `over` when the task has ended. */
export type TokenVerdict = "accepted" | "over" | "unknown";

/**
 * Durable queues of tasks, one per activity, shared by several processes. A task whose worker shows no sign of life in time,
 * or works too long, ends as `timed_out`; it is the scheduler's business to schedule another.
 */
export interface ActivityQueue {
  /** Makes an activity; one that is there is returned as it is. */
  createActivity(name: string): Activity;
  /** Deletes an activity; its tasks end as failed. */
  deleteActivity(name: string): void;
  findActivity(name: string): Activity | undefined;
  /** In order of their creation. */
  listActivities(): readonly Activity[];

  /** Puts tasks on their queues; the first come is served first. */
  schedule(requests: readonly TaskRequest[]): void;
  /** Takes tasks back, as if they had never been scheduled; a worker that has one finds its token unknown. */
  cancel(keys: readonly string[]): void;
  /** Where a task stands; undefined for a key that was never scheduled, or is forgotten. */
  find(key: string): TaskState | undefined;
  /**
   * Calls back, soon after, whenever one of the tasks whose key begins with the prefix is taken or ends; at first for those that
   * have been.
   */
  watch(prefix: string, listener: (task: TaskState) => void): { close(): void };
  /** Forgets tasks that have ended. */
  forget(keys: readonly string[]): void;

  /** Takes the oldest waiting task; waits for one until the signal is aborted, and is undefined then. */
  take(activity: string, worker: string, signal: AbortSignal): Promise<TakenTask | undefined>;
  /** Puts a taken task back to the front of its queue: the one who took it never got it. */
  putBack(token: string): void;
  heartbeat(token: string): TokenVerdict;
  succeed(token: string, output: string): TokenVerdict;
  fail(token: string, error: string | undefined, cause: string | undefined): TokenVerdict;
  /** Names of who has asked for tasks of an activity, or shown that it works on one, within so many milliseconds. */
  recentWorkers(activity: string, withinMs: number): readonly string[];
  close(): void;
}
