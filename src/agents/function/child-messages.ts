import type { StepRecord } from "../../core/attempt.ts";
import { type ErrorCode, messageOf, RowcallError } from "../../core/errors.ts";
import type { FunctionAddress } from "./load-function.ts";

/** An error as it crosses between processes; without a code it is the agent's own. */
export interface SentError {
  readonly message: string;
  readonly code?: ErrorCode;
  readonly hint?: string;
  readonly retryable?: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Messages to a child. */
export type ToChild =
  | { readonly type: "load"; readonly address: FunctionAddress }
  | {
      readonly type: "invoke";
      /** The child's own number of the invocation. */
      readonly id: number;
      /** JSON text. */
      readonly input: string;
      readonly runId: string;
      readonly row: number;
      readonly attempt: number;
    }
  | { readonly type: "abort"; readonly id: number; readonly reason: SentError }
  | { readonly type: "saved"; readonly save: number; readonly uri: string }
  | { readonly type: "unsaved"; readonly save: number; readonly error: SentError };

/** Messages from a child. */
export type FromChild =
  | { readonly type: "loaded" }
  | { readonly type: "unloadable"; readonly error: SentError }
  /** `reply` is JSON text; absent when the function returned nothing. */
  | { readonly type: "answered"; readonly id: number; readonly reply?: string }
  | { readonly type: "failed"; readonly id: number; readonly error: SentError }
  | { readonly type: "step"; readonly id: number; readonly record: StepRecord }
  | {
      readonly type: "save";
      readonly id: number;
      readonly save: number;
      readonly name: string;
      readonly content: Uint8Array;
      readonly contentType: string;
    };

/** Makes an error ready to be sent to another process. */
export function sendError(thrown: unknown): SentError {
  if (!(thrown instanceof RowcallError)) return { message: messageOf(thrown) };
  const { message, code, hint, retryable, details } = thrown;
  const { retryAfterMs } = details;
  return { message, code, hint, retryable, details: typeof retryAfterMs === "number" ? { retryAfterMs } : {} };
}

/** An error that another process sent. */
export function receiveError({ message, code, ...options }: SentError): Error {
  return code === undefined ? new Error(message) : new RowcallError(code, message, options);
}
