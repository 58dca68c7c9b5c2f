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

/**
 * What is wrong with an address that brings a password or a token along: batches are kept in journals and sent to AWS, and an address
 * stays in them as it is written. Undefined when it brings none.
 */
export function credentialIn(address: string): { readonly message: string; readonly hint: string } | undefined {
  const message = (what: string): string => `${maskAddress(address)} holds ${what}, which would be kept with the run`;
  if (/^(?:slack:)?https?:\/\/hooks\.slack(?:-gov)?\.com\//i.test(address)) {
    const hint = "Put the address into the environment variable SLACK_WEBHOOK_URL, and name slack: as the channel.";
    return { message: message("Slack's secret address"), hint };
  }
  const [, rest = ""] = /^[a-z][\w+.-]*:\/\/(.*)$/is.exec(address.replaceAll(secretPlaces, "")) ?? [];
  const login = /^([^/?#]*)@/.exec(rest)?.[1];
  if (login !== undefined && !/^(?:[^:]+:|:?)$/.test(login)) {
    const hint =
      "Put it into an environment variable and name that in its place: https://user:{{secret.OPS_PASSWORD}}@host/path.";
    return { message: message("a password"), hint };
  }
  const query = new URLSearchParams(/\?([^#]*)/.exec(rest)?.[1] ?? "");
  const name = [...query].find(([key, value]) => value !== "" && tokenNames.test(key))?.[0];
  if (name === undefined) return undefined;
  const hint = `Put it into an environment variable and name that in its place: ?${name}={{secret.OPS_TOKEN}}.`;
  return { message: message(`a secret in its query, "${name}"`), hint };
}

const tokenNames = /(?:^|[_-])(?:token|key|api-?key|secret|sig|signature|password|passwd|pwd|auth)$/i;

/** Places in an address that a secret of the environment is put into: `{{secret.NAME}}`. */
export const secretPlaces = /\{\{\s*secret\.([A-Za-z_]\w*)\s*\}\}/g;
