import type { ErrorCode } from "./errors.ts";
import type { FailedOutcome } from "./attempt.ts";

/** When and how long to wait before another attempt; the fields mean what they mean in Step Functions' `Retry`. */
export interface RetryPolicy {
  /** Retries after the first attempt, 0 or more: 2 means at most 3 attempts. */
  readonly maxAttempts: number;
  /** Wait before the first retry, in seconds. */
  readonly intervalSeconds: number;
  /** Factor by which the wait grows after each failed attempt, 1 or more. */
  readonly backoffRate: number;
  /** No wait is longer than this, in seconds. */
  readonly maxDelaySeconds: number;
  /** `FULL` draws each wait evenly between 0 and the computed one, so that rows that failed together do not come back together. */
  readonly jitterStrategy: "FULL" | "NONE";
  /** When given, only failures with these codes are tried again. */
  readonly retryOn?: readonly ErrorCode[];
  /** Failures with these codes are never tried again. */
  readonly doNotRetryOn: readonly ErrorCode[];
}

/**
 * How many workers a row may lose before it is given up. Such a loss is no fault of the row, so it does not count against the
 * retries; but a row that goes on losing them may be what ends them.
 */
export const maxWorkerLosses = 3;

/**
 * At how many deaths of a process or a worker a row may be in flight before it is a suspect: from then on it is run alone, so that
 * no innocent row is in flight at the next one.
 */
export const suspectAfter = 2;

/** How many processes may die while a row is alone in flight before it is given up with AGENT_CRASHED. */
export const maxCrashesAlone = 2;

/**
 * Whether a failed attempt is followed by another.
 *
 * @param failed - 1-based number of the attempt that just failed, counted from the start of this run or rerun
 */
export function shouldRetry(policy: RetryPolicy, outcome: FailedOutcome, failed: number): boolean {
  if (failed > policy.maxAttempts) return false;
  if (policy.doNotRetryOn.includes(outcome.code)) return false;
  if (policy.retryOn !== undefined) return policy.retryOn.includes(outcome.code);
  return outcome.retryable;
}

/**
 * How long to wait before the next attempt.
 *
 * @param failed - 1-based number of the attempt that just failed
 * @param random - a number in [0, 1); tests pass `() => 0.5`
 * @param retryAfterMs - what the other side asked for; the wait is not shorter, up to the policy's longest
 * @returns milliseconds, 0 to the policy's longest wait
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
 */
export function retryDelayMs(policy: RetryPolicy, failed: number, random: () => number, retryAfterMs = 0): number {
  // The growth may overflow to Infinity, which the cap takes, but 0 times it would be no number.
  const grown = policy.intervalSeconds === 0 ? 0 : policy.intervalSeconds * policy.backoffRate ** (failed - 1);
  const seconds = Math.min(grown, policy.maxDelaySeconds);
  const jittered = policy.jitterStrategy === "FULL" ? seconds * random() : seconds;
  return Math.round(Math.min(Math.max(jittered * 1000, retryAfterMs), policy.maxDelaySeconds * 1000));
}
