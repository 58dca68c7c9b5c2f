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
  /**
   * Called with each attempt that counts.
   *
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
  /** Aborted to drain: what is in flight ends, nothing new starts. */
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

/** Tasks in the order in which they may begin: those that wait and are due, then the others. */
class TaskQueue {
  readonly #setup: PoolSetup;
  readonly #onChange: () => void;
  readonly #waiting = new TinyQueue<Waiting>([], (a, b) => a.dueAt - b.dueAt);
  #limited = 0;
  #block: readonly Task[] = [];
  #cursor = 0;
  // Read while the rows of the block before it are in flight, so that no place stands empty meanwhile.
  #upcoming: readonly Task[] | undefined;
  #reading: "between" | "under way" | "over" = "between";
  /** What kept the tasks from being read. */
  failure: { readonly error: unknown } | undefined;

  /** @param onChange - called when tasks have been read */
  constructor(setup: PoolSetup, onChange: () => void) {
    this.#setup = setup;
    this.#onChange = onChange;
  }

  get isReading(): boolean {
    return this.#reading === "under way";
  }

  /** Whether nothing is left, and nothing will come. */
  get isOver(): boolean {
    const isRead = this.#reading === "over" && this.#upcoming === undefined && this.#cursor >= this.#block.length;
    return isRead && this.#waiting.length === 0;
  }

  /** When the first of those that wait is due. */
  get dueAt(): number | undefined {
    return this.#waiting.peek()?.dueAt;
  }

  /** A task that may begin; undefined while there is none. */
  next(now: number): Task | undefined {
    const { limiter } = this.#setup;
    if ((this.dueAt ?? Number.POSITIVE_INFINITY) <= now) {
      const due = this.#waiting.pop();
      if (due?.limited === true) this.#limited -= 1;
      return due?.task;
    }
    // Look no further ahead than the pool is wide, or a retry would queue behind places taken by rows far down the table.
    while (this.#waiting.length < maxWaiting && this.#limited < this.#setup.maxConcurrency()) {
      const task = this.#take();
      if (task === undefined) return undefined;
      const dueAt = limiter?.reserve(task, now) ?? now;
      if (dueAt <= now) return task;
      this.#waiting.push({ task, dueAt, limited: true });
      this.#limited += 1;
    }
    return undefined;
  }

  /** Puts a retry on the queue, and says how long it waits. */
  retry({ retry: task, delayMs }: NextAttempt): number {
    const now = this.#setup.monotonic();
    const dueAt = this.#setup.limiter?.reserve(task, now + delayMs) ?? now + delayMs;
    this.#waiting.push({ task, dueAt, limited: false });
    return dueAt - now;
  }

  #take(): Task | undefined {
    while (this.#cursor >= this.#block.length && this.#upcoming !== undefined)
      [this.#block, this.#cursor, this.#upcoming] = [this.#upcoming, 0, undefined];
    if (this.#upcoming === undefined && this.#reading === "between") void this.#read();
    const task = this.#block[this.#cursor];
    if (task !== undefined) this.#cursor += 1;
    return task;
  }

  async #read(): Promise<void> {
    this.#reading = "under way";
    try {
      const read = await this.#setup.tasks.next();
      this.#reading = read.done === true ? "over" : "between";
      if (read.done !== true) this.#upcoming = read.value;
    } catch (error) {
      this.#reading = "over";
      this.failure = { error };
    }
    this.#onChange();
  }
}

/**
 * Runs every task and its retries, a pool and not waves: a slow row never holds up the next ones, and a row that waits
 * for its retry holds no place.
 *
 * @returns when all is done, or drained
 * @throws what reading the tasks or taking an attempt in threw, after what was in flight has ended
 */
export async function runPool(setup: PoolSetup): Promise<void> {
  const { monotonic, drain, widened } = setup;
  let change = Promise.withResolvers<void>();
  const wake = (): void => change.resolve();
  const queue = new TaskQueue(setup, wake);
  let failure: { readonly error: unknown } | undefined;
  let inFlight = 0;
  // One that waits until nothing else is in flight.
  let suspect: Task | undefined;
  let isSuspectInFlight = false;

  const run = async (task: Task): Promise<void> => {
    const attempt = await setup.attempt(task);
    const { outcome } = attempt;
    if (outcome.status === "failed" && outcome.code === "INTERRUPTED") return;
    const follow = outcome.status === "failed" ? nextAttempt(setup, task, outcome) : undefined;
    const room = setup.onEnd(attempt, follow && queue.retry(follow));
    if (room !== undefined) await room;
  };
  const start = async (task: Task): Promise<void> => {
    inFlight += 1;
    try {
      await run(task);
    } catch (error) {
      failure ??= { error };
    }
    inFlight -= 1;
    if (inFlight === 0) isSuspectInFlight = false;
    wake();
  };
  const mayStart = (): boolean =>
    !drain.aborted &&
    (failure ?? queue.failure) === undefined &&
    !isSuspectInFlight &&
    inFlight < setup.maxConcurrency();

  drain.addEventListener("abort", wake);
  widened?.addEventListener("change", wake);
  let timer: NodeJS.Timeout | undefined;
  try {
    for (;;) {
      change = Promise.withResolvers();
      while (mayStart()) {
        const task = suspect ?? queue.next(monotonic());
        suspect = task?.isAlone === true && inFlight > 0 ? task : undefined;
        if (task === undefined || suspect !== undefined) break;
        isSuspectInFlight = task.isAlone === true;
        void start(task);
      }
      const isStopped = drain.aborted || (failure ?? queue.failure) !== undefined;
      const isOver = isStopped || (queue.isOver && suspect === undefined);
      if (inFlight === 0 && !queue.isReading && isOver) break;
      if (mayStart() && suspect === undefined && queue.dueAt !== undefined)
        timer = setTimeout(wake, Math.max(1, queue.dueAt - monotonic()));
      await change.promise;
      clearTimeout(timer);
    }
  } finally {
    clearTimeout(timer);
    drain.removeEventListener("abort", wake);
    widened?.removeEventListener("change", wake);
  }
  failure ??= queue.failure;
  if (failure !== undefined) throw failure.error;
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
