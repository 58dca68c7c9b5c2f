import type { Engine, RunObserver } from "../core/engine.ts";
import { RowcallError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import type { Clock } from "../core/services.ts";
import { countRuns } from "./count-runs.ts";
import { openTelemetry } from "./open-telemetry.ts";
import type { TelemetrySettings } from "./telemetry-settings.ts";
import { traceRun, type RunTrace } from "./trace-run.ts";

/**
 * An engine whose runs are traced and counted. Telemetry is made of the events that an observer is told; nothing it does changes
 * how a run goes or ends, and a collector that is away is one warning.
 *
 * @param engine - an object of functions; closed with the one that is returned
 */
export function withTelemetry(engine: Engine, settings: TelemetrySettings, clock: Clock): Engine {
  let newest: RunObserver = {};
  const warn = (message: string, hint: string): void => newest.onEvent?.({ type: "warning", message, hint });
  const warnOnce = onlyOnce((reason: string) =>
    warn(
      `Telemetry does not reach its collector: ${reason}`,
      "The run does not need it. Check OTEL_EXPORTER_OTLP_ENDPOINT, or set OTEL_SDK_DISABLED=true.",
    ),
  );
  const tellProblems = onlyOnce(() => {
    for (const { message, hint } of settings.problems) warn(`Telemetry: ${message}`, hint);
  });
  const telemetry = openTelemetry(settings, warnOnce);
  const metrics = telemetry.meter && countRuns(telemetry.meter);

  const watched = async (observer: RunObserver = {}, work: (observer: RunObserver) => Promise<Run>): Promise<Run> => {
    newest = observer;
    tellProblems();
    let started: Run | undefined;
    let trace: RunTrace | undefined;
    const onEvent: NonNullable<RunObserver["onEvent"]> = (event) => {
      if (event.type === "started") {
        started = event.run;
        trace = telemetry.tracing && traceRun(telemetry.tracing, event.run, clock());
      }
      if (event.type === "started" || event.type === "progress") metrics?.noteProgress(event.run);
      if (event.type === "attempt" && started !== undefined) {
        trace?.note(event.attempt, event.final);
        metrics?.noteAttempt(started.agent, event.attempt, event.final);
      }
      observer.onEvent?.(event);
    };
    const end = (run: Run | undefined, errorType?: string): void => {
      if (started === undefined) return;
      trace?.end(clock(), run, errorType);
      metrics?.noteEnd(run ?? started, run?.status ?? "failed");
      const untraced = trace?.untraced() ?? 0;
      if (untraced === 0) return;
      warn(
        `The collector did not keep up: ${untraced} attempts are not in the trace of run ${started.id}`,
        "Trace fewer rows that succeed: ROWCALL_TRACE_ROWS=0.01. Metrics count all of them.",
      );
    };
    try {
      const run = await work({ ...observer, onEvent });
      end(run);
      return run;
    } catch (error) {
      end(undefined, error instanceof RowcallError ? error.code : "UNEXPECTED");
      throw error;
    }
  };

  return {
    ...engine,
    start: (request, observer) => watched(observer, (seen) => engine.start(request, seen)),
    resume: (id, observer) => watched(observer, (seen) => engine.resume(id, seen)),
    rerun: (id, choice, observer) => watched(observer, (seen) => engine.rerun(id, choice, seen)),
    close: async () => {
      try {
        await engine.close();
      } finally {
        await telemetry.close();
      }
    },
  };
}

function onlyOnce<T extends readonly unknown[]>(work: (...args: T) => void): (...args: T) => void {
  let isDone = false;
  return (...args) => {
    if (isDone) return;
    isDone = true;
    work(...args);
  };
}
