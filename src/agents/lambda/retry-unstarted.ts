import type { LambdaClientConfig } from "@aws-sdk/client-lambda";

/** How an SDK client retries its calls. */
type RetryStrategy = NonNullable<LambdaClientConfig["retryStrategy"]>;

const maxRetries = 3;
const firstDelayMs = 200;
const neverConnected = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];

/**
 * Has the SDK repeat an invocation only when the function has surely not run: when it was throttled, when no connection came
 * about, and when the SDK has just corrected its clock. The SDK's own strategy also repeats after broken connections and
 * statuses from 500 on, which may come long after the function began: it would run again while nobody knows, and be paid twice. Such an
 * attempt fails, and the batch's retry strategy decides.
 *
 * @param random - a number in [0, 1)
 */
export function retryUnstarted(random: () => number): RetryStrategy {
  const token = (count: number, delayMs: number): { getRetryCount(): number; getRetryDelay(): number } => ({
    getRetryCount: () => count,
    getRetryDelay: () => delayMs,
  });
  return {
    acquireInitialRetryToken: async () => token(0, 0),
    refreshRetryTokenForRetry: async (before, { error, errorType }) => {
      const count = before.getRetryCount() + 1;
      if (count > maxRetries || (errorType !== "THROTTLING" && !isUnstarted(error))) throw new Error("No more retries");
      return token(count, Math.ceil(random() * firstDelayMs * 2 ** (count - 1)));
    },
    recordSuccess: () => {},
  };
}

function isUnstarted(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { code, $metadata } = error as {
    readonly code?: unknown;
    readonly $metadata?: { clockSkewCorrected?: boolean };
  };
  return neverConnected.includes(String(code)) || $metadata?.clockSkewCorrected === true;
}
