import TinyQueue from "tinyqueue";
import type { AgentInput } from "../../core/agent.ts";
import type { Attempt, FailedOutcome } from "../../core/attempt.ts";
import { maxWorkerLosses, retryDelayMs, shouldRetry, suspectAfter, type RetryPolicy } from "../../core/retry.ts";
import type { Monotonic } from "../../core/services.ts";

/** One attempt to be made. */
export interface Task {
  /** 0-based index of the row. */
  readonly row: number;
  readonly input: AgentInput;
  /** 1-based number of the attempt. */
  readonly number: number;
  /** Failed attempts before this one that count against the retries. */
  readonly failures: number;
  /** Attempts before this one that lost their worker. */
  readonly losses: number;
  /** Whether nothing else of the run may be in flight beside it: it was in flight when processes or workers died. */
  readonly isAlone?: boolean;
}

/** When the next attempt may begin, by what the limit is shared over. */
export interface RateLimiter {
  /** Takes a place in the queue of the task's host or agent; when it may begin, on the clock of `now`. */
  reserve(task: Task, now: number): number;
}

/** A pool of attempts. */
export interface PoolSetup {
  /** Tasks in the order of their rows, some hundreds at a time; ends when there are no more. */
  readonly tasks: AsyncIterator<readonly Task[]>;
  /** Makes the attempt; never rejects. One that ends as INTERRUPTED counts for nothing. */
  attempt(task: Task): Promise<Attempt>;
  /** Called when a task takes a place. */
  onStart(task: Task): void;
  /** Called when it leaves its place without an attempt that counts. */
  onInterrupted?(task: Task): void;
  /**
   * @param waitMs - how long the row waits for its next attempt; undefined when none follows
   * @returns undefined, or a promise: the attempt keeps its place until it settles
   */
  onEnd(attempt: Attempt, waitMs: number | undefined): Promise<void> | undefined;
  /** Attempts in flight at once; asked before each start, so it may change while the pool runs. */
  maxConcurrency(): number;
  /** Tells by `change` that there may be more places than before. */
  readonly widened?: EventTarget;
  readonly retry: RetryPolicy;
  readonly limiter?: RateLimiter;
  readonly monotonic: Monotonic;
  readonly random: () => number;
  /** Aborted to drain: what is under way ends, nothing new starts. */
  readonly drain: AbortSignal;
}

interface Waiting {
  readonly task: Task;
  readonly dueAt: number;
  /** Waits for the rate limit alone, not for a retry. */
  readonly limited: boolean;
}

// Rows that wait for their next attempt are held in memory: no new row starts while there are so many.
const maxWaiting = 10_000;

/**
 * Runs every task and its retries, a pool and not waves: a slow row never holds up the next ones, and a row that waits
 * for its retry holds no place.
 *
 * @returns when all is done, or drained
 * @throws what reading the tasks threw, after what was under way has ended
 */
export async function runPool(setup: PoolSetup): Promise<void> {
  const { monotonic, drain, limiter } = setup;
  const waiting = new TinyQueue<Waiting>([], (a, b) => a.dueAt - b.dueAt);
  let limited = 0;
  let ready: readonly Task[] = [];
  let cursor = 0;
  // Read while the rows of the block before it are under way, so that no place stands empty meanwhile.
  let upcoming: readonly Task[] | undefined;
  let exhausted = false;
  let loading = false;
  let underWay = 0;
  // One that waits until nothing else is in flight.
  let suspect: Task | undefined;
  let isSuspectInFlight = false;
  let timer: NodeJS.Timeout | undefined;
  let failure: { readonly error: unknown } | undefined;
  const { promise, resolve, reject } = Promise.withResolvers<void>();

  const stopped = (): boolean => drain.aborted || failure !== undefined;

  const load = (): void => {
    if (loading || exhausted || upcoming !== undefined || stopped()) return;
    loading = true;
    setup.tasks.next().then(
      ({ done, value }) => {
        loading = false;
        if (done === true) exhausted = true;
        else upcoming = value;
        pump();
      },
      (error: unknown) => {
        loading = false;
        failure = { error };
        pump();
      },
    );
  };

  const next = (now: number): Task | undefined => {
    if ((waiting.peek()?.dueAt ?? Number.POSITIVE_INFINITY) <= now) {
      const due = waiting.pop();
      if (due?.limited === true) limited -= 1;
      return due?.task;
    }
    // Look no further ahead than the pool is wide, or a retry would queue behind places taken by rows far down the table.
    while (waiting.length < maxWaiting && limited < setup.maxConcurrency()) {
      if (cursor >= ready.length && upcoming !== undefined) [ready, cursor, upcoming] = [upcoming, 0, undefined];
      load();
      const task = ready[cursor];
      if (task === undefined) {
        if (upcoming === undefined) return undefined;
        continue;
      }
      cursor += 1;
      const dueAt = limiter?.reserve(task, now) ?? now;
      if (dueAt <= now) return task;
      waiting.push({ task, dueAt, limited: true });
      limited += 1;
    }
    return undefined;
  };

  const settle = (task: Task, attempt: Attempt): void => {
    const { outcome } = attempt;
    if (outcome.status === "failed" && outcome.code === "INTERRUPTED") {
      setup.onInterrupted?.(task);
      return leave();
    }
    const follow = outcome.status === "failed" ? nextAttempt(setup, task, outcome) : undefined;
    const room = setup.onEnd(attempt, follow && queue(follow));
    if (room === undefined) leave();
    else void room.then(leave);
  };

  const queue = ({ retry, delayMs }: NextAttempt): number => {
    const now = monotonic();
    const dueAt = limiter?.reserve(retry, now + delayMs) ?? now + delayMs;
    waiting.push({ task: retry, dueAt, limited: false });
    return dueAt - now;
  };

  const leave = (): void => {
    underWay -= 1;
    if (underWay === 0) isSuspectInFlight = false;
    pump();
  };

  const pump = (): void => {
    while (!stopped() && !isSuspectInFlight && underWay < setup.maxConcurrency()) {
      const task = suspect ?? next(monotonic());
      if (task === undefined) break;
      const isAlone = task.isAlone === true;
      suspect = isAlone && underWay > 0 ? task : undefined;
      if (suspect !== undefined) break;
      isSuspectInFlight = isAlone;
      underWay += 1;
      setup.onStart(task);
      void setup.attempt(task).then((attempt) => settle(task, attempt));
    }
    clearTimeout(timer);
    const dueAt = waiting.peek()?.dueAt;
    if (
      underWay === 0 &&
      !loading &&
      (stopped() ||
        (exhausted && upcoming === undefined && cursor >= ready.length && dueAt === undefined && suspect === undefined))
    ) {
      if (failure === undefined) resolve();
      else reject(failure.error);
    } else if (
      dueAt !== undefined &&
      underWay < setup.maxConcurrency() &&
      suspect === undefined &&
      !isSuspectInFlight &&
      !stopped()
    ) {
      timer = setTimeout(pump, Math.max(1, dueAt - monotonic()));
    }
  };

  drain.addEventListener("abort", pump, { once: true });
  setup.widened?.addEventListener("change", pump);
  pump();
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    drain.removeEventListener("abort", pump);
    setup.widened?.removeEventListener("change", pump);
  }
}

interface NextAttempt {
  readonly retry: Task;
  readonly delayMs: number;
}

// A lost worker is no fault of the row: another one gets it at once.
function nextAttempt({ retry, random }: PoolSetup, task: Task, outcome: FailedOutcome): NextAttempt | undefined {
  const number = task.number + 1;
  if (outcome.code === "WORKER_LOST") {
    const losses = task.losses + 1;
    if (losses >= maxWorkerLosses || retry.doNotRetryOn.includes("WORKER_LOST")) return undefined;
    return { retry: { ...task, number, losses, isAlone: losses >= suspectAfter }, delayMs: 0 };
  }
  const failures = task.failures + 1;
  if (!shouldRetry(retry, outcome, failures)) return undefined;
  return {
    retry: { ...task, number, failures },
    delayMs: retryDelayMs(retry, failures, random, outcome.retryAfterMs),
  };
}

/**
 * A limiter that spaces beginnings evenly.
 *
 * @param keyOf - what the limit is shared over: a host, or always the same key for the whole agent
 */
export function createRateLimiter(requestsPerSecond: number, keyOf: (task: Task) => string): RateLimiter {
  const spacingMs = 1000 / requestsPerSecond;
  const nextAt = new Map<string, number>();
  return {
    reserve: (task, now) => {
      const key = keyOf(task);
      const at = Math.max(now, nextAt.get(key) ?? now);
      nextAt.set(key, at + spacingMs);
      return at;
    },
  };
}
