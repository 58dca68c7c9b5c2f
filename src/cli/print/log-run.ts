import type { RunEvent } from "../../core/engine.ts";
import type { Run } from "../../core/run.ts";
import type { Monotonic } from "../../core/services.ts";
import type { JsonLog } from "./log-entry.ts";
import { createMeter, describeCounts, describeStart } from "./progress.ts";
import { statusOf } from "./run-report.ts";

/** How much is logged of a run. */
export interface RunLogOptions {
  /** Warnings and errors only. */
  readonly quiet?: boolean;
  /** False for no entry of how far it is. @default true */
  readonly progress?: boolean;
  readonly monotonic: Monotonic;
}

const progressEveryMs = 5000;

/** Logs what a run tells: its start, how far it is now and then, each attempt that fails. A row that succeeds is no news. */
export function logRun(log: JsonLog, options: RunLogOptions): (event: RunEvent) => void {
  const { monotonic, quiet, progress } = options;
  const inform: JsonLog = quiet === true ? () => {} : log;
  const meter = createMeter(monotonic);
  let run: string | undefined;
  let toldAt = monotonic();
  return (event) => {
    switch (event.type) {
      case "started": {
        const { id, agent, counts } = event.run;
        run = id;
        meter.note(counts.succeeded + counts.failed);
        inform({ level: "info", message: describeStart(event.run), event: "run_started", run, agent, counts });
        break;
      }
      case "progress": {
        if (progress === false || monotonic() - toldAt < progressEveryMs) break;
        toldAt = monotonic();
        const { counts } = event.run;
        meter.note(counts.succeeded + counts.failed);
        inform({ level: "info", message: describeCounts(event.run, meter), event: "run_progress", run, counts });
        break;
      }
      case "attempt": {
        const { outcome, row, number: attempt, startedAt, endedAt, worker } = event.attempt;
        if (outcome.status === "succeeded") break;
        const { code, message, hint } = outcome;
        const what = { code, run, row, attempt, worker, duration_ms: endedAt - startedAt };
        // A row that gets another attempt may still go well.
        if (event.final) log({ level: "warn", message, hint, event: "row_failed", ...what });
        else inform({ level: "info", message, hint, event: "attempt_failed", ...what });
        break;
      }
      case "warning":
        log({ level: "warn", message: event.message, hint: event.hint, run });
        break;
      case "notice":
        inform({ level: "info", message: event.message, run });
        break;
    }
  };
}

/**
 * Logs how a run ended.
 *
 * @param tookMs - undefined when nothing was run: the run had ended before
 */
export function logEnd(log: JsonLog, run: Run, tookMs: number | undefined): void {
  const { id, status, counts, outputUri, agent } = run;
  const isWell = status === "succeeded" && counts.failed === 0;
  const how = statusOf(run);
  log({
    level: isWell ? "info" : "warn",
    message: tookMs === undefined ? `Run ${id} had already ended: ${how}` : `Run ${id} ${how}`,
    event: "run_ended",
    run: id,
    agent,
    status,
    counts,
    output: outputUri,
    duration_ms: tookMs,
  });
}
