import { jsonLine } from "../../core/printable.ts";
import type { AttemptName, WorkerEvent } from "../../engines/worker/task-source.ts";
import { colorsFor } from "../cli.ts";
import type { Io } from "../io.ts";
import type { LogEntry } from "./log-entry.ts";
import { count, formatDuration, formatTime, shorten } from "./output.ts";

/** How much a worker says. */
export interface WorkerLogOptions {
  /** One JSON object a line on standard output, rather than lines for people on standard error. */
  readonly json?: boolean;
  /** Warnings and errors only, of what goes to standard error. */
  readonly quiet?: boolean;
}

/** Opens the log of a worker: what it says of each event. */
export function openWorkerLog(
  io: Io,
  { json, quiet }: WorkerLogOptions,
  worker: string,
  activity: string,
): (event: WorkerEvent) => void {
  if (json === true) {
    return (event) => void io.stdout.write(jsonLine({ at: Date.now(), worker, activity, ...event }));
  }
  const colors = colorsFor(io, io.stderr);
  return (event) => {
    const isWarning = event.type === "warning" || event.type === "waiting";
    if (quiet === true && !isWarning) return;
    if (io.log !== undefined) return io.log(entryOf(event, worker, activity));
    const hint = isWarning && event.hint !== undefined ? ` (${event.hint})` : "";
    const text = `${describe(event, worker, activity)}${hint}`;
    const line = isWarning ? `${colors.yellow("warning:")} ${text}` : text;
    io.stderr.write(`${formatTime(Date.now())} ${line}\n`);
  };
}

function entryOf(event: WorkerEvent, worker: string, activity: string): LogEntry {
  const isWarning = event.type === "warning" || event.type === "waiting";
  return {
    level: isWarning ? "warn" : "info",
    message: describe(event, worker, activity),
    ...(isWarning ? { hint: event.hint } : {}),
    event: `worker_${event.type}`,
    worker,
    activity,
    ...("runId" in event ? { run: event.runId, row: event.row, attempt: event.attempt } : {}),
    ...(event.type === "ended"
      ? {
          status: event.outcome.status,
          code: event.outcome.status === "failed" ? event.outcome.code : undefined,
          duration_ms: event.durationMs,
        }
      : {}),
  };
}

function describe(event: WorkerEvent, worker: string, activity: string): string {
  switch (event.type) {
    case "started":
      return `worker ${worker} asks for rows of ${activity}, ${event.concurrency} at once`;
    case "waiting":
      return `${event.message}; trying again`;
    case "reached":
      return "Connected again";
    case "taken":
      return `${nameOf(event)}: started`;
    case "ended":
      return `${nameOf(event)}: ${outcomeOf(event)}`;
    case "dropped":
      return `${nameOf(event)}: result dropped, ${event.reason}`;
    case "warning":
      return event.message;
    case "draining":
      return `Takes no more rows; ${event.underWay} in flight will finish. Send the signal again to exit now.`;
    case "stopped":
      return `worker ${worker} ended after ${count(event.tasks, "attempt")}`;
  }
}

function nameOf({ runId, row, attempt }: AttemptName): string {
  return `row ${row} of run ${runId}, attempt ${attempt}`;
}

function outcomeOf({ outcome, durationMs }: Extract<WorkerEvent, { type: "ended" }>): string {
  const took = formatDuration(durationMs);
  if (outcome.status === "succeeded") return `succeeded in ${took}`;
  return `failed after ${took} with ${outcome.code}: ${shorten(outcome.message, 160)}`;
}
