import type { Notifications } from "../core/batch.ts";
import type { Delivery, FailureCount, Notification } from "../core/channel.ts";
import { formatDuration } from "../core/duration.ts";
import { messageOf, RowcallError } from "../core/errors.ts";
import type { Run, RunStatus } from "../core/run.ts";
import type { Services } from "../core/services.ts";

const listed = 5;

/** What kind of news a run's end is; undefined while there is none, as for a run that somebody interrupted. */
export function newsOf(status: RunStatus): Notification["kind"] | undefined {
  if (status === "succeeded") return "success";
  return status === "failed" || status === "stopped" ? "failure" : undefined;
}

/** What kind of news a run is to its channels; undefined when nobody is to be told of how it stands. */
export function owedNews(status: RunStatus, { onSuccess, onFailure }: Notifications): Notification["kind"] | undefined {
  const kind = newsOf(status);
  return kind !== undefined && (kind === "success" ? onSuccess : onFailure) ? kind : undefined;
}

/**
 * Sends a notification.
 *
 * @param warn - told what the user should know of a channel that works
 * @returns why it did not arrive; undefined when it did
 */
export async function sendNotification(
  { openChannel }: Pick<Services, "openChannel">,
  address: string,
  notification: Notification,
  warn: (message: string, hint: string) => void = () => {},
): Promise<Delivery["error"]> {
  try {
    const channel = await openChannel(address);
    if (channel.warning !== undefined) warn(channel.warning.message, channel.warning.hint);
    await channel.notify(notification);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof RowcallError)) return { code: "CHANNEL_FAILED", message: messageOf(thrown) };
    const { code, message, hint } = thrown;
    return { code, message, ...(hint === undefined ? {} : { hint }) };
  }
}

/**
 * Puts the end of a run into words.
 *
 * @param id - of the delivery
 * @param failures - most frequent first
 */
export function composeNotification(
  id: string,
  kind: Notification["kind"],
  run: Run,
  failures: readonly FailureCount[],
): Notification {
  const { total, succeeded, failed, pending } = run.counts;
  const facts: (readonly [label: string, value: string | undefined])[] = [
    ["Run", run.name === undefined ? run.id : `${run.id} (${run.name})`],
    ["Agent", run.agent],
    ["Status", run.reason === undefined ? run.status : `${run.status}, ${run.reason}`],
    ["Rows", `${total} in all, ${succeeded} succeeded, ${failed} failed, ${pending} pending`],
    ["Failed with", failures.length === 0 ? undefined : describeFailures(failures)],
    ["Took", run.endedAt === undefined ? undefined : formatDuration(run.endedAt - run.createdAt)],
    ["Output", run.outputUri ?? "none"],
    ["Recordings", run.recordingsUri],
    ["Failed rows", failed === 0 ? undefined : `rowcall rows ${run.id} --status failed`],
    ["Go on", kind === "success" ? undefined : `rowcall resume ${run.id}`],
  ];
  return {
    id,
    kind,
    run,
    failures,
    subject: `Rowcall run ${run.id} ${run.status}: ${succeeded} of ${total} rows succeeded`,
    body: facts.flatMap(([label, value]) => (value === undefined ? [] : [`${label}: ${value}`])).join("\n"),
  };
}

function describeFailures(failures: readonly FailureCount[]): string {
  const more = failures.slice(listed).reduce((sum, { count }) => sum + count, 0);
  const parts = failures.slice(0, listed).map(({ code, count }) => `${code} ${count}`);
  return [...parts, ...(more === 0 ? [] : [`others ${more}`])].join(", ");
}
