import type { ErrorCode } from "./errors.ts";
import type { Run } from "./run.ts";

/** How many rows failed with one code. */
export interface FailureCount {
  readonly code: ErrorCode;
  readonly count: number;
}

/** What is told about a run that ended. */
export interface Notification {
  /** Id of the delivery: the same however often it is tried, so that whoever gets it twice can tell. */
  readonly id: string;
  readonly kind: "success" | "failure";
  /** `recordingsUri` only when there are recordings. */
  readonly run: Run;
  /** Most frequent first. */
  readonly failures: readonly FailureCount[];
  /** One line. */
  readonly subject: string;
  /** A few readable lines. */
  readonly body: string;
}

/** Tells somebody. A channel that throws never fails the run; the run reports it. */
export interface Channel {
  /** What the user should know although the channel works. */
  readonly warning?: { readonly message: string; readonly hint: string };
  /** @throws RowcallError CHANNEL_FAILED, without secrets in its message */
  notify(notification: Notification): Promise<void>;
}

/**
 * Opens the channel behind an address: `console:`, an SNS topic's ARN, a webhook's URL, `slack:NAME`. Nothing is sent yet.
 *
 * @throws RowcallError CHANNEL_UNKNOWN, SECRET_MISSING
 */
export type OpenChannel = (address: string) => Promise<Channel>;

/** A notification on its way to one channel, as it is remembered. */
export interface Delivery {
  readonly id: string;
  /** Address, with `***` for secrets. */
  readonly channel: string;
  readonly kind: Notification["kind"];
  /** `pending`: being sent, or the process ended before it was known whether it arrived. */
  readonly status: "pending" | "delivered" | "failed";
  /** Times that sending was begun; what a channel repeats by itself is not counted. */
  readonly tries: number;
  /** When sending was begun last: milliseconds since 1970, UTC. */
  readonly triedAt: number;
  /** Why it failed. */
  readonly error?: { readonly code: ErrorCode; readonly message: string; readonly hint?: string };
}

/**
 * A channel's address as it may be shown and logged: without what may be a secret, which is user, password and query of a URL,
 * and the path of one of Slack's.
 */
export function maskAddress(address: string): string {
  if (/^slack:/i.test(address)) return isVariableName(address.slice(6)) ? address : "slack:***";
  const [, origin, rest = ""] = /^(https?:\/*|[a-z][\w+.-]*:\/\/)(.*)$/is.exec(address) ?? [];
  if (origin === undefined) return address;
  // What is no URL may have its password anywhere before an @.
  const user = URL.canParse(address) ? /^[^/?#]*@/ : /^.*@/s;
  return `${origin}${rest.replace(user, "***@").replace(/\?[^#]*/s, "?***")}`.replace(
    /^(https?:\/\/hooks\.slack(?:-gov)?\.com\/).+$/is,
    "$1***",
  );
}

/** Whether a text may name an environment variable; none is named by the empty text. */
export function isVariableName(text: string): boolean {
  return /^(?:[A-Za-z_]\w*)?$/.test(text);
}
