import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
} from "@opentelemetry/sdk-trace";
import type { Attempt } from "../core/attempt.ts";
import type { Run } from "../core/run.ts";
import { traceRun, type RunTrace } from "./trace-run.ts";

const run: Run = {
  id: "r1",
  status: "running",
  agent: "echo@1.0.0",
  inputUri: "in.csv",
  counts: { total: 2, succeeded: 0, failed: 0, inFlight: 0, pending: 2 },
  createdAt: 0,
};

const attemptOf = (row: number, over: Partial<Attempt> = {}): Attempt => ({
  row,
  number: 1,
  startedAt: 1000,
  endedAt: 3000,
  outcome: { status: "failed", code: "TIMEOUT", message: "too long", retryable: true },
  steps: [],
  artifacts: [],
  ...over,
});

/** Traces a run and returns its spans, and how much room was taken for them. */
function traced(
  work: (trace: RunTrace) => void,
  sampler: AlwaysOnSampler | AlwaysOffSampler = new AlwaysOnSampler(),
): { readonly spans: readonly ReadableSpan[]; readonly reserved: number } {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ sampler, spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  let reserved = 0;
  const reserve = (spans: number): boolean => {
    reserved += spans;
    return true;
  };
  work(traceRun({ tracer: provider.getTracer("test"), reserve, rowShare: 1 }, run, 500));
  return { spans: exporter.getFinishedSpans(), reserved };
}

test("takes room for just the spans that it makes, and none for a run that is not sampled", () => {
  const steps = [{ name: "fill a", status: "done", durationMs: 5 }] as const;
  const work = (trace: RunTrace): void => {
    trace.note(attemptOf(0, { steps }), false);
    trace.note(attemptOf(0, { number: 2, steps }), true);
    trace.end(4000, { ...run, status: "succeeded" });
  };
  const { spans, reserved } = traced(work);
  assert.deepEqual([spans.length, reserved], [6, 6]);
  assert.deepEqual(traced(work, new AlwaysOffSampler()), { spans: [], reserved: 0 });
});

test("lays steps one after the other and ends none of them after its attempt", () => {
  const steps = [
    { name: "fill a", status: "done", durationMs: 500.5 },
    { name: "click b", status: "done", durationMs: 9000 },
    { name: "extract c", status: "skipped", durationMs: 0 },
  ] as const;
  const { spans } = traced((trace) => trace.note(attemptOf(0, { steps }), true));
  assert.deepEqual(
    spans.slice(0, 3).map(({ name, startTime, endTime }) => [name, startTime, endTime]),
    [
      ["fill", [1, 0], [1, 500_500_000]],
      ["click", [1, 500_500_000], [3, 0]],
      ["extract", [3, 0], [3, 0]],
    ],
  );
});

test("a run that breaks off is an error with its code, and a row that waited for an attempt ends with its last", () => {
  const { spans } = traced((trace) => {
    trace.note(attemptOf(1), false);
    trace.end(9000, undefined, "JOURNAL_UNREADABLE");
  });
  const [, row, root] = spans;
  assert.deepEqual([row?.name, row?.endTime, row?.status.code], ["row", [3, 0], 0]);
  assert.deepEqual([root?.name, root?.endTime, root?.status.code], ["run", [9, 0], 2]);
  assert.equal(root?.attributes["rowcall.run.status"], "failed");
  assert.deepEqual(
    root.events.map(({ attributes }) => attributes),
    [{ "exception.type": "JOURNAL_UNREADABLE" }],
  );
});
