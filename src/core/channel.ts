import type { Run } from "./run.ts";

/** What is told about a run that ended. */
export interface Notification {
  readonly kind: "success" | "failure";
  readonly run: Run;
  /** One line. */
  readonly subject: string;
  /** A few readable lines. */
  readonly body: string;
}

/** Tells somebody. A channel that throws never fails the run; the run reports it. */
export interface Channel {
  /** @throws RowcallError CHANNEL_FAILED */
  notify(notification: Notification): Promise<void>;
}

/**
 * Opens the channel behind an address: `console:`, later an SNS topic's ARN or a webhook.
 *
 * @throws RowcallError CHANNEL_UNKNOWN
 */
export type OpenChannel = (address: string) => Promise<Channel>;
