/** What an error means to a runner, a server and a shell. */
export interface ErrorKind {
  /** Whether another attempt of the same row may go better. */
  readonly retryable: boolean;
  /** Status an HTTP face answers with. */
  readonly httpStatus: number;
  /** Exit code of the command line when this error ends it. */
  readonly exitCode: 1 | 2 | 130;
}

type KindName =
  | "config"
  | "unauthorized"
  | "oversized"
  | "missing"
  | "conflict"
  | "denied"
  | "row"
  | "transient"
  | "timeout"
  | "interrupted"
  | "internal";

const kinds: Readonly<Record<KindName, ErrorKind>> = {
  config: { retryable: false, httpStatus: 400, exitCode: 2 },
  unauthorized: { retryable: false, httpStatus: 401, exitCode: 2 },
  oversized: { retryable: false, httpStatus: 413, exitCode: 2 },
  missing: { retryable: false, httpStatus: 404, exitCode: 2 },
  conflict: { retryable: false, httpStatus: 409, exitCode: 2 },
  denied: { retryable: false, httpStatus: 403, exitCode: 2 },
  row: { retryable: false, httpStatus: 422, exitCode: 1 },
  transient: { retryable: true, httpStatus: 502, exitCode: 1 },
  timeout: { retryable: true, httpStatus: 504, exitCode: 1 },
  interrupted: { retryable: true, httpStatus: 503, exitCode: 130 },
  internal: { retryable: false, httpStatus: 500, exitCode: 1 },
};

/**
 * Every error code there is and its kind.
 * `docs/errors.md` has one section per code; a test holds the two together.
 */
export const errorTable = {
  // What a user wrote: found before anything is spent.
  USAGE_INVALID: "config",
  BATCH_INVALID: "config",
  BATCH_NOT_FOUND: "missing",
  AGENT_NOT_FOUND: "missing",
  AGENT_INVALID: "config",
  AGENT_UNKNOWN: "config",
  TEMPLATE_NOT_FOUND: "missing",
  TEMPLATE_INVALID: "config",
  VERSION_EXISTS: "conflict",
  COLUMN_MISSING: "config",
  COLUMN_DUPLICATE: "config",
  COLUMN_COLLISION: "config",
  FIELD_UNKNOWN: "config",
  PLAN_FAILED: "config",

  // The input and the places things live in.
  INPUT_NOT_FOUND: "missing",
  INPUT_EMPTY: "config",
  INPUT_ENCODING: "config",
  INPUT_MALFORMED: "config",
  OUTPUT_EXISTS: "conflict",
  STORE_UNKNOWN: "config",
  STORE_NOT_FOUND: "missing",
  STORE_DENIED: "denied",
  STORE_FAILED: "transient",
  CHANNEL_UNKNOWN: "config",
  CHANNEL_FAILED: "transient",
  CHROMIUM_NOT_FOUND: "config",
  SANDBOX_MISSING: "config",
  DEPENDENCY_MISSING: "config",
  SECRET_MISSING: "config",
  AWS_DENIED: "denied",
  AWS_FAILED: "transient",

  // A run as a whole.
  RUN_NOT_FOUND: "missing",
  RUN_CONFLICT: "conflict",
  RUN_BUSY: "conflict",
  ENDPOINT_BUSY: "conflict",
  RUN_DAMAGED: "internal",
  JOURNAL_UNREADABLE: "internal",
  INTERRUPTED: "interrupted",
  UNEXPECTED: "internal",

  // A request to the server.
  TOKEN_INVALID: "unauthorized",
  ORIGIN_FOREIGN: "denied",
  REQUEST_TOO_LARGE: "oversized",
  REQUEST_UNKNOWN: "missing",
  ROW_NOT_FOUND: "missing",
  KEY_REUSED: "conflict",
  SESSION_NOT_FOUND: "missing",

  // One row. The run goes on.
  ROW_RAGGED: "row",
  ROW_VALUE_MISSING: "row",
  ROW_INVALID: "row",
  TEMPLATE_RENDER: "row",
  AGENT_FAILED: "transient",
  AGENT_CRASHED: "transient",
  OUTPUT_MISSING: "transient",
  OUTPUT_INVALID: "transient",
  TIMEOUT: "timeout",
  HTTP_STATUS: "row",
  HTTP_UNAVAILABLE: "transient",
  STEP_FAILED: "transient",
  PAGE_UNEXPECTED: "transient",
  EXTRACT_EMPTY: "transient",
  CHOICE_AMBIGUOUS: "row",
  CHOICE_NONE: "row",
  HOST_BLOCKED: "row",
  BROWSER_CRASHED: "transient",
  WORKER_LOST: "transient",
  NEEDS_HUMAN: "row",
  MODEL_MISSING: "row",
} as const;

/** One of the codes in {@link errorTable}. */
export type ErrorCode = keyof typeof errorTable;

/** What a code means. */
export function errorKind(code: ErrorCode): ErrorKind {
  return kinds[errorTable[code]];
}

/** What an error carries besides its code and message. */
export interface ErrorOptions {
  /** What to do next, as one sentence. */
  readonly hint?: string;
  /** The error underneath, always passed on. */
  readonly cause?: unknown;
  /** Values a program may want: line numbers, candidates, tried paths. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Whether another attempt may go better, where this case differs from its code. */
  readonly retryable?: boolean;
}

/**
 * The one class of error that Rowcall throws on purpose.
 *
 * The message says what happened, with the value; `hint` says what to do.
 */
export class RowcallError extends Error {
  override readonly name = "RowcallError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  /** Whether another attempt may go better. */
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
    this.retryable = options.retryable ?? errorKind(code).retryable;
  }

  /** Exit code of a command that this error ends. */
  get exitCode(): number {
    return errorKind(this.code).exitCode;
  }

  /** The same error with another hint. */
  withHint(hint: string): RowcallError {
    const { code, message, cause, details, retryable } = this;
    return new RowcallError(code, message, { hint, cause, details, retryable });
  }
}

/** What somebody should know although nothing failed. */
export interface Warning {
  readonly message: string;
  readonly hint?: string;
}

/** Whether a string is one of our codes. */
export function isErrorCode(value: string): value is ErrorCode {
  return Object.hasOwn(errorTable, value);
}

/** The text of anything that was thrown, errors of another realm and plain objects included; it never throws itself. */
export function messageOf(thrown: unknown): string {
  try {
    if (typeof thrown !== "object" || thrown === null) return String(thrown);
    const { message } = thrown as { readonly message?: unknown };
    if (typeof message === "string") return message;
    return JSON.stringify(thrown) ?? "An object that cannot be shown";
  } catch {
    return "An object that cannot be shown";
  }
}
