import { messageOf, RowcallError } from "../../core/errors.ts";
import type { SentError } from "./child-messages.ts";

/** What was thrown, ready to be sent to another process. */
export function sendError(thrown: unknown): SentError {
  if (!(thrown instanceof RowcallError)) return { message: messageOf(thrown) };
  const { message, code, hint, retryable, details } = thrown;
  const { retryAfterMs } = details;
  return {
    message,
    code,
    retryable,
    ...(hint === undefined ? {} : { hint }),
    ...(typeof retryAfterMs === "number" ? { details: { retryAfterMs } } : {}),
  };
}

/** An error that another process sent. */
export function receiveError({ message, code, ...options }: SentError): Error {
  return code === undefined ? new Error(message) : new RowcallError(code, message, options);
}
