import { awsError, explainAws } from "../../aws/aws.ts";
import { RowcallError } from "../../core/errors.ts";
import { isJsonObject, type JsonValue } from "../../core/json.ts";
import { excerpt } from "../excerpt.ts";
import type { LambdaClientConfig } from "@aws-sdk/client-lambda";

/**
 * The error of an invocation that Lambda did not carry out, or whose end was not seen.
 *
 * @param name - of the function, for messages
 */
export function callError(name: string, thrown: unknown): RowcallError {
  const tried = `invoke the function ${name}`;
  const { kind, name: awsName, what } = explainAws(thrown);
  if (awsName === "RequestTooLargeException") return tooLarge(name, what, thrown);
  if (awsName === "TooManyRequestsException") return throttled(tried, thrown);
  const { code } = thrown as { readonly code?: unknown };
  if (code === "ECONNRESET" || code === "EPIPE" || code === "ETIMEDOUT") {
    return new RowcallError("AWS_FAILED", `Cannot ${tried}: the connection closed before the answer (${code})`, {
      hint: "The function may have run to its end; see its log group in CloudWatch.",
      cause: thrown,
    });
  }
  // A conflict is a function that is being made ready or changed just now.
  return kind === "conflict" ? awsError(tried, thrown, "AWS_FAILED") : awsError(tried, thrown);
}

/** The error of a payload that Lambda does not take. */
export function tooLarge(name: string, what: string, cause?: unknown): RowcallError {
  return new RowcallError("ROW_INVALID", `The input is too large for the function ${name}: ${what}`, {
    hint: "Lambda takes at most 6 MB. Map fewer columns, or pass where the data lies instead of the data.",
    cause,
  });
}

function throttled(tried: string, thrown: unknown): RowcallError {
  const { retryAfterSeconds, Reason } = thrown as { readonly retryAfterSeconds?: string; readonly Reason?: string };
  const seconds = Number(retryAfterSeconds ?? Number.NaN);
  const reason = Reason === undefined ? "" : ` (${Reason})`;
  return new RowcallError("AWS_FAILED", `Cannot ${tried}: Lambda is limiting the rate of invocations${reason}`, {
    hint: "Lower max_concurrency, or raise the function's reserved concurrency or the account's quota.",
    cause: thrown,
    details: {
      awsError: "TooManyRequestsException",
      ...(Number.isFinite(seconds) ? { retryAfterMs: seconds * 1000 } : {}),
    },
  });
}

/**
 * The error of a function that ran and failed, in its own words: `ValueError: no such postcode`.
 *
 * @param payload - what Lambda answered with `X-Amz-Function-Error`
 */
export function functionError(payload: JsonValue): RowcallError {
  const { errorType, errorMessage } = isJsonObject(payload) ? payload : {};
  const words = [errorType, errorMessage]
    .filter((text): text is string => typeof text === "string" && text !== "")
    .join(": ");
  const message = words === "" ? `The function failed: ${excerpt(JSON.stringify(payload))}` : words;
  return new RowcallError("AGENT_FAILED", message, { hint: hintFor(message) });
}

function hintFor(message: string): string | undefined {
  if (/Task timed out after/.test(message)) {
    return "This is the function's own time limit: raise it with `aws lambda update-function-configuration --timeout`, 900 s at most.";
  }
  if (message.startsWith("Function.ResponseSizeTooLarge"))
    return "A function answers with at most 6 MB. Have it answer with less, or with where the data lies.";
  if (/^Runtime\.(?:ExitError|OutOfMemory)|signal: killed/.test(message))
    return "The function's process ended; it may need more memory.";
  return undefined;
}

/** The retry strategy of an SDK client. */
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
