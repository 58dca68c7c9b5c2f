import { errorKind, isErrorCode, messageOf, RowcallError, type ErrorCode } from "./errors.ts";
import type { JsonObject } from "./json.ts";

/** The attempt gave an answer. */
export interface SucceededOutcome {
  readonly status: "succeeded";
  /** The agent's whole `structured_output`, not only the fields the batch writes: another export may want others. */
  readonly output: JsonObject;
}

/** The attempt gave no answer. */
export interface FailedOutcome {
  readonly status: "failed";
  readonly code: ErrorCode;
  /** Goes into `_error_message`. */
  readonly message: string;
  readonly hint?: string;
  /** Whether another attempt may go better. */
  readonly retryable: boolean;
  /** The least wait the other side asked for (`Retry-After`), in milliseconds. */
  readonly retryAfterMs?: number;
}

/** Most characters of a failure's message, of its hint, and of a step's texts: they go into cells, lists and reports. */
const maxLength = 4000;

/** A failure of a code, retryable as the code is unless `more` says otherwise. */
export function failedOutcome(
  code: ErrorCode,
  message: string,
  more: {
    readonly hint?: string | undefined;
    readonly retryable?: boolean | undefined;
    readonly retryAfterMs?: number | undefined;
  } = {},
): FailedOutcome {
  const { hint, retryable = errorKind(code).retryable, retryAfterMs } = more;
  return {
    status: "failed",
    code,
    message: limitText(message),
    retryable,
    ...(hint === undefined ? {} : { hint: limitText(hint) }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** A text's beginning and how much of it is left out: 4,000 characters together at most, so that what was cut is not cut again. */
export function limitText(text: string): string {
  if (text.length <= maxLength) return text;
  const end = maxLength - 40;
  // Not within a pair of surrogates.
  const kept = text.slice(0, end).replace(/[\ud800-\udbff]$/, "");
  return `${kept}… (${text.length - kept.length} more characters)`;
}

/** How an attempt ended. */
export type Outcome = SucceededOutcome | FailedOutcome;

/** What was thrown as an outcome: our errors by their code, anything else as the agent's own failure. It never throws itself. */
export function outcomeOf(thrown: unknown): FailedOutcome {
  try {
    if (thrown instanceof RowcallError && isErrorCode(thrown.code)) {
      const { code, hint, retryable, details } = thrown;
      const retryAfterMs = Number.isFinite(details["retryAfterMs"]) ? (details["retryAfterMs"] as number) : undefined;
      return failedOutcome(code, messageOf(thrown), { hint, retryable, retryAfterMs });
    }
  } catch {
    // A proxy, or an error that was tampered with: what it says is tried below.
  }
  return failedOutcome("AGENT_FAILED", messageOf(thrown) || "The agent failed without a message");
}

/** One thing an agent did during an attempt. */
export interface StepRecord {
  /** What was done, readable: `fill "PostCode"`. */
  readonly name: string;
  readonly status: "done" | "failed" | "skipped";
  readonly durationMs: number;
  /** A result, or why it failed. */
  readonly detail?: string;
}

/** A file that an attempt left behind. */
export interface Artifact {
  /** File name within the attempt's folder: `final.png`. */
  readonly name: string;
  readonly uri: string;
  readonly contentType: string;
}

/** One try of one row. */
export interface Attempt {
  /** 0-based index of the row. */
  readonly row: number;
  /** 1-based. */
  readonly number: number;
  /** Milliseconds since 1970, UTC. */
  readonly startedAt: number;
  /** Milliseconds since 1970, UTC. */
  readonly endedAt: number;
  readonly outcome: Outcome;
  readonly steps: readonly StepRecord[];
  readonly artifacts: readonly Artifact[];
  /** Name of the worker that made it; absent when the process of the run did. */
  readonly worker?: string;
}

/** The artifact that shows best what happened: a video, else the last screenshot, else a trace; undefined when nothing was kept. */
export function mainArtifact(artifacts: readonly Artifact[]): Artifact | undefined {
  return (
    artifacts.findLast((artifact) => artifact.contentType.startsWith("video/")) ??
    artifacts.findLast((artifact) => artifact.contentType.startsWith("image/")) ??
    artifacts.at(-1)
  );
}
