import type { FailureCount, Notification } from "../core/channel.ts";
import { formatDuration } from "../core/duration.ts";
import type { Run, RunStatus } from "../core/run.ts";

const listed = 5;

/** What kind of news a run's end is; undefined while there is none, as for a run that somebody interrupted. */
export function newsOf(status: RunStatus): Notification["kind"] | undefined {
  if (status === "succeeded") return "success";
  return status === "failed" || status === "stopped" ? "failure" : undefined;
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
