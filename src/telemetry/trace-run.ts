import { ROOT_CONTEXT, SpanStatusCode, trace, type Attributes, type HrTime, type Span } from "@opentelemetry/api";
import type { Attempt, StepRecord } from "../core/attempt.ts";
import type { Run } from "../core/run.ts";
import type { Tracing } from "./open-telemetry.ts";

/** The trace of one run: run, rows, attempts, steps. */
export interface RunTrace {
  /** @param final - whether its row gets no other attempt */
  note(attempt: Attempt, final: boolean): void;
  /**
   * Ends the run's span, and those of rows that are not final.
   *
   * @param at - milliseconds since 1970, UTC
   * @param run - undefined when the run broke off
   * @param errorType - code of what it broke off with
   */
  end(at: number, run: Run | undefined, errorType?: string): void;
  /** Attempts that have no spans because the collector did not keep up. */
  untraced(): number;
}

interface OpenRow {
  readonly span: Span;
  endsAt: number;
}

/**
 * Begins the trace of a run. Spans are made of what the run tells once an attempt is over, with the times it tells. No message,
 * no output and no more than the first word of a step's name is in them, since all these hold what is in cells.
 *
 * @param at - milliseconds since 1970, UTC
 */
export function traceRun({ tracer, reserve, rowShare }: Tracing, run: Run, at: number): RunTrace {
  const open = (name: string, parent: Span | undefined, startsAt: number, attributes: Attributes): Span =>
    tracer.startSpan(
      name,
      { startTime: hrTime(startsAt), attributes },
      parent === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, parent),
    );
  const root = open("run", undefined, at, {
    "rowcall.run.id": run.id,
    ...(run.name === undefined ? {} : { "rowcall.run.name": run.name }),
    "rowcall.agent": run.agent,
    "rowcall.rows": run.counts.total,
  });
  const isSampled = root.isRecording();
  const hasPlace = isSampled && reserve(1);
  // Rows whose next attempt is awaited.
  const rows = new Map<number, OpenRow>();
  let untraced = 0;

  const addAttempt = (parent: Span, attempt: Attempt): void => {
    const { row, number, startedAt, endedAt, outcome, steps, worker } = attempt;
    const span = open("attempt", parent, startedAt, {
      "rowcall.run.id": run.id,
      "rowcall.row": row,
      "rowcall.attempt": number,
      ...(worker === undefined ? {} : { "rowcall.worker": worker }),
      ...(outcome.status === "failed" ? { "error.type": outcome.code } : {}),
    });
    let stepAt = startedAt;
    for (const step of steps) {
      const stepEndsAt = Math.min(stepAt + step.durationMs, endedAt);
      const child = open(verbOf(step), span, stepAt, { "rowcall.step.status": step.status });
      if (step.status === "failed") child.setStatus({ code: SpanStatusCode.ERROR });
      child.end(hrTime(stepEndsAt));
      stepAt = stepEndsAt;
    }
    if (outcome.status === "failed") fail(span, outcome.code, endedAt);
    span.end(hrTime(endedAt));
  };

  return {
    note: (attempt, final) => {
      if (!isSampled) return;
      const { row, startedAt, endedAt, outcome } = attempt;
      let opened = rows.get(row);
      if (opened === undefined && outcome.status === "succeeded" && !isChosen(row, rowShare)) return;
      // A row's own span has its room from the beginning, so that no attempt is sent without its row.
      const hasRoom = reserve(1 + attempt.steps.length + (opened === undefined ? 1 : 0));
      if (!hasRoom) untraced += 1;
      if (opened === undefined) {
        if (!hasRoom) return;
        const attributes = { "rowcall.run.id": run.id, "rowcall.row": row };
        opened = { span: open("row", root, startedAt, attributes), endsAt: endedAt };
        rows.set(row, opened);
      }
      if (hasRoom) addAttempt(opened.span, attempt);
      opened.endsAt = endedAt;
      if (!final) return;
      rows.delete(row);
      if (outcome.status === "failed") {
        opened.span.setAttribute("error.type", outcome.code).setStatus({ code: SpanStatusCode.ERROR });
      }
      opened.span.end(hrTime(endedAt));
    },
    end: (endsAt, ended, errorType) => {
      if (!isSampled) return;
      for (const { span, endsAt: rowEndsAt } of rows.values()) span.end(hrTime(rowEndsAt));
      rows.clear();
      root.setAttribute("rowcall.run.status", ended?.status ?? "failed");
      if (ended !== undefined) {
        root.setAttributes({
          "rowcall.rows.succeeded": ended.counts.succeeded,
          "rowcall.rows.failed": ended.counts.failed,
        });
      }
      if (untraced > 0) root.setAttribute("rowcall.attempts.untraced", untraced);
      if (errorType !== undefined) fail(root, errorType, endsAt);
      if (hasPlace || reserve(1)) root.end(hrTime(endsAt));
    },
    untraced: () => untraced,
  };
}

function fail(span: Span, type: string, at: number): void {
  span.setAttribute("error.type", type).setStatus({ code: SpanStatusCode.ERROR });
  span.addEvent("exception", { "exception.type": type }, hrTime(at));
}

/** What a step does, without what it does it with: `fill`, `goto`, `POST`. */
function verbOf({ name }: StepRecord): string {
  return /^[a-z_]{1,24}(?= |$)/i.exec(name)?.[0] ?? "step";
}

// Spread over the table, and the same rows each time.
function isChosen(row: number, share: number): boolean {
  return (Math.imul(row + 1, 0x9e3779b1) >>> 0) / 2 ** 32 < share;
}

// A plain number below some size would be taken for one since the process began.
function hrTime(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.floor((milliseconds - seconds * 1000) * 1e6)];
}
