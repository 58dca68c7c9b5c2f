import type { FailureSummary } from "../../core/engine.ts";
import { errorKind } from "../../core/errors.ts";
import { shownStatus, type Run } from "../../core/run.ts";
import { formatDuration } from "../../core/duration.ts";
import { count } from "../print/output.ts";
import { createMeter } from "../print/progress.ts";
import { failuresOf } from "../../app/find-run.ts";
import type { Answer } from "./answer.ts";
import type { Session } from "./session.ts";

/**
 * Where a run stands and what can be done next, in few words.
 *
 * @param found - its failures, when they are known
 */
export async function describeRun(session: Session, run: Run, found?: readonly FailureSummary[]): Promise<Answer> {
  const failures = found ?? (await failuresOf(session.engine, run));
  const { total, succeeded, failed, inFlight, pending } = run.counts;
  const percent = percentOf(run);
  const rate = run.status === "running" ? noteRun(session, run) : undefined;
  const secondsLeft = rate === undefined ? undefined : Math.ceil((total - succeeded - failed) / rate);
  const left = secondsLeft === undefined ? "" : `, about ${formatDuration(secondsLeft * 1000)} left`;
  const warnings = session.warningsOf(run.id);
  return {
    say:
      `Run ${run.id} ${statusWords[shownStatus(run)]}: ${succeeded + failed} of ${count(total, "row")} final ` +
      `(${percent} %), ${failed} failed${left}. ${nextStep(run)}`,
    facts: {
      run: run.id,
      name: run.name,
      status: run.status,
      paused: run.paused,
      agent: run.agent,
      percent,
      rows: { total, succeeded, failed, in_flight: inFlight, pending },
      rows_per_second: rate === undefined ? undefined : Number(rate.toPrecision(2)),
      seconds_left: secondsLeft,
      workers_on_line: run.workers,
      rows_waiting: run.waiting && {
        rows: run.waiting.rows,
        next_due_at: new Date(run.waiting.until).toISOString(),
        after: run.waiting.code,
      },
      failures: failures.map(({ code, count: rows }) => ({
        code,
        rows,
        may_succeed_when_rerun: errorKind(code).retryable,
      })),
      output: run.outputUri,
      recordings: run.recordingsUri,
      next: nextStep(run),
    },
    untrusted:
      run.reason === undefined && warnings.length === 0
        ? undefined
        : { reason: run.reason, warnings: warnings.length === 0 ? undefined : warnings },
  };
}

/**
 * Notes where a run stands.
 *
 * @returns rows per second of late; undefined while there is nothing to tell
 */
export function noteRun(
  { meters, services }: Pick<Session, "meters" | "services">,
  { id, counts }: Run,
): number | undefined {
  const meter = meters.get(id) ?? createMeter(services.monotonic);
  meters.set(id, meter);
  meter.note(counts.succeeded + counts.failed);
  return meter.rate();
}

/** Final rows in percent, never rounded up to 100. */
export function percentOf({ counts: { total, succeeded, failed } }: Run): number {
  return total === 0 ? 100 : Math.floor(((succeeded + failed) * 1000) / total) / 10;
}

/** The first items of something that may be long. */
export async function* take<T>(items: AsyncIterable<T>, many: number): AsyncGenerator<T> {
  let taken = 0;
  if (many === 0) return;
  for await (const item of items) {
    yield item;
    taken += 1;
    if (taken === many) return;
  }
}

const statusWords: Readonly<Record<ReturnType<typeof shownStatus>, string>> = {
  running: "is in flight",
  paused: "is paused",
  succeeded: "has finished",
  failed: "ended with an error",
  stopped: "was stopped",
  interrupted: "was interrupted",
};

function nextStep(run: Run): string {
  const { status, counts } = run;
  if (shownStatus(run) === "paused") return "No row starts until resume_run continues it.";
  if (status === "running") return "Call run_progress again; it waits by itself. Nothing else is needed meanwhile.";
  if (status !== "succeeded") return "What is done is kept: resume_run continues with the rest.";
  if (counts.failed === 0) return "All rows succeeded: run_results shows the table's path and a sample.";
  return "run_results shows what failed, with an example each; rerun_failed attempts failed rows again.";
}
