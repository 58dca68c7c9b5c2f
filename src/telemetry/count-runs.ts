import type { Attributes, Meter } from "@opentelemetry/api";
import type { Attempt } from "../core/attempt.ts";
import type { Run } from "../core/run.ts";

/** The metrics of all runs of an engine. */
export interface RunMetrics {
  /** @param final - whether its row gets no other attempt */
  noteAttempt(agent: string, attempt: Attempt, final: boolean): void;
  /** Called as a run goes on. */
  noteProgress(run: Run): void;
  /** @param run - as it began when it broke off */
  noteEnd(run: Run, status: Run["status"]): void;
}

// From a function's answer to a long form in a browser.
const durationBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** Creates the instruments. */
export function countRuns(meter: Meter): RunMetrics {
  const rows = createTally(meter, "rowcall.rows", { description: "Rows that are final", unit: "{row}" });
  const attempts = createTally(meter, "rowcall.attempts", { description: "Attempts made", unit: "{attempt}" });
  const runs = createTally(meter, "rowcall.runs", { description: "Runs ended", unit: "{run}" });
  const durations = meter.createHistogram("rowcall.attempt.duration", {
    description: "What an attempt took",
    unit: "s",
    advice: { explicitBucketBoundaries: durationBoundaries },
  });
  const running = new Map<string, Run>();
  const agents = new Set<string>();
  meter
    .createObservableGauge("rowcall.rows.in_flight", { description: "Rows in flight", unit: "{row}" })
    .addCallback((result) => {
      // Agents whose runs have ended are told as none: a gauge that is told no longer would keep its last value.
      const byAgent = new Map([...agents].map((agent) => [agent, 0]));
      for (const { agent, counts } of running.values()) byAgent.set(agent, (byAgent.get(agent) ?? 0) + counts.inFlight);
      for (const [agent, many] of byAgent) result.observe(many, { "rowcall.agent": agent });
    });
  return {
    noteAttempt: (agent, { outcome, startedAt, endedAt }, final) => {
      const code = outcome.status === "failed" ? outcome.code : undefined;
      const attributes = attempts.count(agent, outcome.status, code);
      if (final) rows.count(agent, outcome.status, code);
      durations.record((endedAt - startedAt) / 1000, attributes);
    },
    noteProgress: (run) => {
      agents.add(run.agent);
      running.set(run.id, run);
    },
    noteEnd: (run, status) => {
      running.delete(run.id);
      runs.count(run.agent, status);
    },
  };
}

interface Tally {
  /** Counts one more, and returns its attributes. */
  count(agent: string, status: string, errorType?: string): Attributes;
}

// The SDK looks at every attribute of every addition; a row should not pay for that.
function createTally(meter: Meter, name: string, options: { description: string; unit: string }): Tally {
  const counts = new Map<string, { many: number; readonly attributes: Attributes }>();
  meter.createObservableCounter(name, options).addCallback((result) => {
    for (const { many, attributes } of counts.values()) result.observe(many, attributes);
  });
  return {
    count: (agent, status, errorType) => {
      const key = `${agent} ${errorType ?? status}`;
      let counted = counts.get(key);
      if (counted === undefined) {
        const attributes = {
          "rowcall.agent": agent,
          "rowcall.status": status,
          ...(errorType === undefined ? {} : { "error.type": errorType }),
        };
        counted = { many: 0, attributes };
        counts.set(key, counted);
      }
      counted.many += 1;
      return counted.attributes;
    },
  };
}
