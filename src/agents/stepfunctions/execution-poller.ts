import TinyQueue from "tinyqueue";
import { RowcallError } from "../../core/errors.ts";
import type { Clocks } from "../../core/services.ts";
import { unlessAborted } from "../within.ts";

/** A limit of the rate of calls. */
export interface PaceLimit {
  readonly perSecond: number;
  /** Calls that may be made at once after a pause. */
  readonly burst: number;
}

const slowest = 1 / 16;
const recovery = 1 / 50;

/**
 * A bucket of permissions that fills evenly, and more slowly for a while after the other side was too busy. Times are of a clock that
 * never jumps, in milliseconds.
 */
function createPace({ perSecond, burst }: PaceLimit) {
  let rate = perSecond;
  let permissions = burst;
  let filledAt: number | undefined;
  let slowedAt = Number.NEGATIVE_INFINITY;
  return {
    /** Returns whether there is a permission. */
    allows: (now: number): boolean => {
      permissions = Math.min(burst, permissions + ((now - (filledAt ?? now)) / 1000) * rate);
      filledAt = now;
      return permissions >= 1;
    },
    /** Takes the permission there is. */
    take: (): void => {
      permissions -= 1;
    },
    /** The other side was too busy: nothing for a second, then half as often. */
    slowDown: (now: number): void => {
      // Calls that were in flight together are refused together; that is one sign, not many.
      if (now - slowedAt < 1000) return;
      slowedAt = now;
      rate = Math.max(rate / 2, perSecond * slowest);
      permissions = Math.min(permissions, 1 - rate);
    },
    /** The other side answered: a little more often again, up to the limit. */
    speedUp: (): void => {
      rate = Math.min(perSecond, rate + perSecond * recovery);
    },
  };
}

/** Statuses that an execution ends with. */
export const endStatuses = ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"] as const;
/** One of {@link endStatuses}. */
export type EndStatus = (typeof endStatuses)[number];

/** The end of an execution. */
export interface ExecutionEnd {
  readonly status: EndStatus;
  /** JSON text, when it succeeded. */
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}

/** A page of executions that have ended. */
export interface EndedPage {
  /** The one that ended last first; `stoppedAt` in milliseconds since 1970. */
  readonly executions: readonly { readonly arn: string; readonly stoppedAt: number }[];
  /** Asks for the page after this one. */
  readonly next?: string;
}

/** The source of executions; each call counts against AWS's limits. */
export interface ExecutionSource {
  /**
   * Returns how an execution ended; undefined while it is in flight.
   *
   * @throws RowcallError, retryable when another look may go better
   */
  describe(arn: string): Promise<ExecutionEnd | undefined>;
  /** Executions of the state machine that ended with a status. */
  listEnded(status: EndStatus, page?: string): Promise<EndedPage>;
}

/** The clocks, and how to wait; tests pass their own. */
export interface Timing extends Clocks {
  /** Resolves after so many milliseconds, or rejects when the signal is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<unknown>;
}

/** Waits for many executions at once. */
export interface ExecutionPoller {
  /**
   * Waits until an execution has ended; one at a time may wait for it.
   *
   * @param isOld - whether it was begun earlier, and may have ended long ago
   * @throws RowcallError when it cannot be looked at; the signal's reason when it is aborted
   */
  waitFor(arn: string, signal: AbortSignal, isOld: boolean): Promise<ExecutionEnd>;
  /** Rejects every wait: nobody looks any more. */
  close(): void;
}

/**
 * Rates at which AWS is asked. Its own limits of an account in a region, which the console and other runs share, fill by 15
 * (DescribeExecution) and 5 (ListExecutions) a second in the largest regions, by 10 and 2 elsewhere.
 *
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
 */
export const pollLimits: { readonly describe: PaceLimit; readonly list: PaceLimit } = {
  describe: { perSecond: 7, burst: 10 },
  list: { perSecond: 1, burst: 1 },
};

const tickMs = 200;
const shortestIntervalMs = 1000;
const longestIntervalMs = 30_000;
// An execution is looked at again after a part of its age, so a result waits no longer than that.
const intervalPerAge = 0.15;
// More executions than this cannot be looked at one by one often enough.
const crowd = 16;
// In a crowd, one execution a second has its turn.
const turnMs = 1000;
// Successes are what is waited for most.
const turns: readonly EndStatus[] = ["SUCCEEDED", "FAILED", "SUCCEEDED", "TIMED_OUT", "SUCCEEDED", "ABORTED"];
const mostPages = 10;
// Lists and descriptions lag behind what has happened, and clocks differ.
const lagMs = 60_000;
const clockSkewMs = 300_000;

interface Waiting {
  readonly arn: string;
  readonly since: number;
  readonly resolve: (end: ExecutionEnd) => void;
  readonly reject: (error: Error) => void;
  /** When it is looked at next; infinite while it is looked at, or known to have ended. */
  dueAt: number;
}

interface Due {
  readonly waiting: Waiting;
  readonly at: number;
}

interface Sweep {
  readonly status: EndStatus;
  readonly from: number;
  readonly newest: number;
  readonly pages: number;
  readonly next?: string;
}

/**
 * Waits for executions within AWS's rates, however many there are: a few are looked at one by one, the younger the more
 * often. When there are many, those that have ended are found in lists, and only these are looked at; each of the
 * others still has its turn now and then, for what a list has missed.
 */
export function createExecutionPoller(
  source: ExecutionSource,
  { clock, monotonic, wait }: Timing,
  limits: typeof pollLimits = pollLimits,
): ExecutionPoller {
  const waiting = new Map<string, Waiting>();
  const due = new TinyQueue<Due>([], (a, b) => a.at - b.at);
  const ended: Waiting[] = [];
  const describes = createPace(limits.describe);
  const lists = createPace(limits.list);
  const seenUntil = new Map<EndStatus, number>();
  const closing = new AbortController();
  let turn = 0;
  let sweep: Sweep | undefined;
  let listing = false;
  let running = false;

  const isWaiting = (one: Waiting): boolean => waiting.get(one.arn) === one;

  const lookAt = (one: Waiting, at: number): void => {
    one.dueAt = at;
    due.push({ waiting: one, at });
  };

  const lookLater = (one: Waiting): void => {
    const now = monotonic();
    const byAge = Math.min(Math.max((now - one.since) * intervalPerAge, shortestIntervalMs), longestIntervalMs);
    lookAt(one, now + (waiting.size > crowd ? Math.max(byAge, waiting.size * turnMs) : byAge));
  };

  const leave = (one: Waiting): void => {
    waiting.delete(one.arn);
    // No lists from here on: who was to wait for them is looked at by age again.
    if (waiting.size !== crowd) return;
    for (const other of waiting.values()) if (other.dueAt !== Number.POSITIVE_INFINITY) lookLater(other);
  };

  const nextToLookAt = (now: number): Waiting | undefined => {
    for (let one = ended.shift(); one !== undefined; one = ended.shift()) if (isWaiting(one)) return one;
    for (let first = due.peek(); first !== undefined && first.at <= now; first = due.peek()) {
      due.pop();
      if (isWaiting(first.waiting) && first.waiting.dueAt === first.at) return first.waiting;
    }
    return undefined;
  };

  const look = async (one: Waiting): Promise<void> => {
    one.dueAt = Number.POSITIVE_INFINITY;
    try {
      const end = await source.describe(one.arn);
      describes.speedUp();
      if (!isWaiting(one)) return;
      if (end === undefined) lookLater(one);
      else one.resolve(end);
    } catch (thrown) {
      if (!isWaiting(one)) return;
      const isEarly = isMissing(thrown) && monotonic() - one.since < lagMs;
      if (!isEarly && !mayPass(thrown)) return one.reject(thrown as Error);
      if (!isEarly) describes.slowDown(monotonic());
      lookLater(one);
    }
  };

  const beginSweep = (): Sweep => {
    const status = turns[turn % turns.length] ?? "SUCCEEDED";
    turn += 1;
    // The first one has waited longest: what ended before it began is none of ours.
    const [oldest] = waiting.values();
    const since = clock() - (oldest === undefined ? 0 : monotonic() - oldest.since);
    const from = Math.max(since - clockSkewMs, (seenUntil.get(status) ?? 0) - lagMs);
    return { status, from, newest: 0, pages: 0 };
  };

  const listPage = async (current: Sweep): Promise<void> => {
    listing = true;
    try {
      const { executions, next } = await source.listEnded(current.status, current.next);
      lists.speedUp();
      for (const { arn } of executions) {
        const one = waiting.get(arn);
        if (one === undefined || one.dueAt === Number.POSITIVE_INFINITY) continue;
        one.dueAt = Number.POSITIVE_INFINITY;
        ended.push(one);
      }
      const newest = Math.max(current.newest, executions[0]?.stoppedAt ?? 0);
      const pages = current.pages + 1;
      const reaches = (executions.at(-1)?.stoppedAt ?? 0) < current.from;
      const isOver = next === undefined || reaches || pages === mostPages;
      sweep = isOver ? undefined : { ...current, newest, pages, next };
      if (isOver && newest > 0) seenUntil.set(current.status, newest);
    } catch {
      // Looking one by one finds out what is wrong, and goes on if lists alone are refused.
      lists.slowDown(monotonic());
      sweep = undefined;
    } finally {
      listing = false;
    }
  };

  const pauseMs = (): number => {
    if (waiting.size > crowd || ended.length > 0) return tickMs;
    // No longer than until the first look at one that comes meanwhile.
    return Math.min(Math.max((due.peek()?.at ?? 0) - monotonic(), tickMs), shortestIntervalMs);
  };

  const run = async (): Promise<void> => {
    running = true;
    while (waiting.size > 0) {
      await wait(pauseMs(), closing.signal).catch(() => undefined);
      if (closing.signal.aborted) break;
      const now = monotonic();
      while (describes.allows(now)) {
        const one = nextToLookAt(now);
        if (one === undefined) break;
        describes.take();
        void look(one);
      }
      if (waiting.size > crowd && !listing && lists.allows(now)) {
        lists.take();
        void listPage((sweep ??= beginSweep()));
      }
    }
    running = false;
  };

  return {
    waitFor: async (arn, signal, isOld) => {
      signal.throwIfAborted();
      closing.signal.throwIfAborted();
      if (waiting.has(arn)) throw new Error(`Somebody waits for ${arn} already`);
      const { promise, resolve, reject } = Promise.withResolvers<ExecutionEnd>();
      const now = monotonic();
      const one: Waiting = { arn, since: now, resolve, reject, dueAt: 0 };
      waiting.set(arn, one);
      if (isOld) lookAt(one, now);
      else lookLater(one);
      if (!running) void run();
      try {
        return await unlessAborted(promise, signal);
      } finally {
        leave(one);
      }
    },
    close: () => {
      closing.abort();
      for (const { reject } of waiting.values()) reject(new Error("The agent was closed"));
    },
  };
}

function mayPass(thrown: unknown): boolean {
  return thrown instanceof RowcallError && thrown.retryable;
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof RowcallError && thrown.details["awsError"] === "ExecutionDoesNotExist";
}
