import { z } from "zod";
import type { AgentDefinition } from "../../core/agent.ts";
import type { Attempt } from "../../core/attempt.ts";
import type { Delivery } from "../../core/channel.ts";
import type {
  DeletedRun,
  RowPage,
  RowReport,
  RowSelection,
  RowStatus,
  RunLimits,
  RunSurvey,
} from "../../core/engine.ts";
import { errorTable, type ErrorCode } from "../../core/errors.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { runStatuses, type RunStatus } from "../../core/run.ts";
import type { RunView } from "../run-view.ts";
import type { PublicationStatus, TemplateDocument } from "../../core/template.ts";
import type { PlanReport } from "../../app/plan.ts";
import type { TryResult } from "../../app/try-row.ts";
import type { ApiProblem } from "../problem.ts";
import type { SessionView } from "../security/session.ts";

/** Schemas that the document has under a name of their own. */
export const components: z.core.$ZodRegistry<{ id: string }> = z.registry<{ id: string }>();

function named<T extends z.ZodType>(id: string, schema: T): T {
  components.add(schema, { id });
  return schema;
}

const codes = Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]];
const count = z.int().min(0);
const time = z.int().describe("Milliseconds since 1970, UTC");

/** Any JSON value: what is read with these schemas was JSON. */
export const jsonValue: z.ZodType<JsonValue> = z.unknown() as unknown as z.ZodType<JsonValue>;
/** Any JSON object. */
export const jsonObject: z.ZodType<JsonObject> = z.record(z.string(), jsonValue);
/** One of the codes of the error table. */
export const errorCode: z.ZodEnum<{ [K in ErrorCode]: K }> = named("ErrorCode", z.enum(codes));
/** Where a run stands. */
export const runStatus: z.ZodType<RunStatus> = z.enum(runStatuses);
/** Where a row stands. */
export const rowStatus: z.ZodType<RowStatus> = z.enum(["pending", "in_flight", "succeeded", "failed"]);
/** Whether a version of an agent or template is offered. */
export const publicationStatus: z.ZodType<PublicationStatus> = z.enum(["active", "draft", "deprecated", "archived"]);
/** Ranges of rows: 0-based, ends included, in order. */
export const rowSelection: z.ZodType<RowSelection> = z
  .array(z.tuple([count, count]))
  .min(1)
  .refine(
    (ranges) => ranges.every(([first, last], i) => first <= last && first > (ranges[i - 1]?.[1] ?? -1)),
    "must be ranges in order that do not overlap",
  )
  .describe("Ranges of rows, counted from 0, ends included, in order and not overlapping: [[3, 3], [7, 9]]");

const problem = z.object({ path: z.string(), message: z.string(), hint: z.string().exactOptional() });

// Of errors, which no operation names.
const apiProblem: z.ZodType<ApiProblem> = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe("What happened, with the value"),
  code: errorCode,
  hint: z.string().exactOptional().describe("What to do next"),
  details: z.record(z.string(), z.unknown()).exactOptional(),
});
named("Problem", apiProblem);

/** @see RunView */
export const runView: z.ZodType<RunView> = named(
  "Run",
  z.object({
    id: z.string(),
    name: z.string().exactOptional(),
    status: runStatus,
    paused: z.literal(true).exactOptional().describe("No attempt starts until the run goes on"),
    agent: z.string().describe("name@version"),
    inputUri: z.string(),
    outputUri: z.string().exactOptional(),
    recordingsUri: z.string().exactOptional(),
    counts: z.object({ total: count, succeeded: count, failed: count, inFlight: count, pending: count }),
    waiting: z
      .object({
        rows: count,
        until: time.describe("When the first of them is due, milliseconds since 1970, UTC"),
        row: count.describe("The first of them"),
        code: errorCode,
        message: z.string().describe("How its last attempt failed"),
      })
      .exactOptional()
      .describe("Rows that wait for their next attempt"),
    createdAt: time,
    endedAt: time.exactOptional(),
    workers: count.exactOptional(),
    reason: z.string().exactOptional(),
    successRate: z.number().min(0).max(1).exactOptional().describe("Succeeded of the decided rows"),
    rowsPerSecond: z.number().min(0).exactOptional(),
    secondsLeft: z.number().min(0).exactOptional(),
  }),
);

/** @see RunLimits */
export const runLimits: z.ZodType<RunLimits> = named(
  "Limits",
  z.object({
    paused: z.boolean().exactOptional(),
    maxConcurrency: z.int().min(1),
    toleratedFailurePercentage: z.number().min(0).max(100).exactOptional(),
    toleratedFailureCount: count.exactOptional(),
  }),
);

const step = z.object({
  name: z.string(),
  status: z.enum(["done", "failed", "skipped"]),
  durationMs: z.number(),
  detail: z.string().exactOptional(),
});

const outcome = z.discriminatedUnion("status", [
  z.object({ status: z.literal("succeeded"), output: jsonObject }),
  z.object({
    status: z.literal("failed"),
    code: errorCode,
    message: z.string(),
    hint: z.string().exactOptional(),
    retryable: z.boolean(),
    retryAfterMs: z.number().exactOptional(),
  }),
]);

/** @see Attempt */
const attempt: z.ZodType<Attempt> = named(
  "Attempt",
  z.object({
    row: count,
    number: z.int().min(1),
    startedAt: time,
    endedAt: time,
    outcome,
    steps: z.array(step),
    artifacts: z.array(z.object({ name: z.string(), uri: z.string(), contentType: z.string() })),
    worker: z.string().exactOptional(),
  }),
);

/** @see RowReport */
export const rowReport: z.ZodType<RowReport> = named(
  "Row",
  z.object({
    row: count,
    line: z.int().min(1),
    status: rowStatus,
    cells: z.record(z.string(), z.string()).describe("As the input has them: text of strangers"),
    input: jsonObject.exactOptional().describe("What the agent gets; absent when the row cannot be mapped"),
    attempts: z.array(attempt),
    waitingUntil: time
      .exactOptional()
      .describe(
        "When the next attempt of a waiting row is due, milliseconds since 1970, UTC; its last attempt says why",
      ),
    sameAs: count.exactOptional(),
  }),
);

/** @see RowPage */
export const rowPage: z.ZodType<RowPage> = named(
  "RowPage",
  z.object({
    rows: z.array(rowReport),
    next: z
      .string()
      .exactOptional()
      .describe("`after` of the next page; there may be more although this page is short"),
  }),
);

/** @see RunSurvey */
export const runSurvey: z.ZodType<RunSurvey> = named(
  "Survey",
  z.object({
    failures: z.array(
      z.object({ code: errorCode, count, row: count, message: z.string(), hint: z.string().exactOptional() }),
    ),
    slowest: z.array(z.object({ row: count, attempts: count, durationMs: z.number() })),
    timeline: z.object({
      sliceMs: z.number(),
      slices: z.array(z.object({ at: time, succeeded: count, failed: count })),
    }),
    workers: z.array(z.object({ worker: z.string(), attempts: count, lost: count })),
    attempts: count,
    meanAttemptMs: z.number().exactOptional(),
  }),
);

/** @see Delivery */
export const delivery: z.ZodType<Delivery> = named(
  "Delivery",
  z.object({
    id: z.string(),
    channel: z.string(),
    kind: z.enum(["success", "failure"]),
    status: z.enum(["pending", "delivered", "failed"]),
    tries: count,
    triedAt: time,
    error: z.object({ code: errorCode, message: z.string(), hint: z.string().exactOptional() }).exactOptional(),
  }),
);

/** @see DeletedRun */
export const deletedRun: z.ZodType<DeletedRun> = named(
  "DeletedRun",
  z.object({
    id: z.string(),
    name: z.string().exactOptional(),
    rows: count.describe("Rows that the run had"),
    removed: z.array(z.string()).describe("Folders and files that are gone; what was in the journal is not named"),
    left: z
      .array(z.object({ uri: z.string(), why: z.string() }))
      .describe("Places that still hold, or may hold, rows of the run"),
  }),
);

const estimate = z.object({
  rows: count,
  concurrency: count,
  secondsPerRow: z.number().exactOptional(),
  costPerRowUsd: z.number().exactOptional(),
  seconds: z.number().exactOptional(),
  costUsd: z.number().exactOptional(),
  basis: z.string(),
});

/** @see PlanReport */
export const planReport: z.ZodType<PlanReport> = named(
  "Plan",
  z.object({
    runnable: z.boolean(),
    agent: z.string(),
    checks: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        status: z.enum(["passed", "failed", "warning", "skipped"]),
        detail: z.string(),
        hint: z.string().exactOptional(),
        problems: z.array(problem).exactOptional(),
      }),
    ),
    input: z
      .object({
        uri: z.string(),
        dialect: z.looseObject({ encoding: z.string(), delimiter: z.string(), bom: z.boolean() }),
        header: z.array(z.string()),
        rows: count,
      })
      .exactOptional(),
    rows: count,
    inputBytes: z.object({ largest: count, total: count }),
    outputColumns: z.array(z.string()),
    sample: z.array(z.object({ row: count, line: count, input: jsonObject })),
    invalid: z.object({
      count,
      first: z.array(
        z.object({ row: count, line: count, code: errorCode, message: z.string(), hint: z.string().exactOptional() }),
      ),
    }),
    duplicates: z.object({
      count,
      first: z.array(z.object({ row: count, line: count, sameAs: count })),
      isComplete: z.boolean(),
    }),
    estimate,
  }),
);

/** @see TryResult */
export const tryResult: z.ZodType<TryResult & { readonly id: string }> = named(
  "Try",
  z.object({
    id: z.string().describe("Names its recordings, as long as the server runs"),
    agent: z.string(),
    row: count,
    line: count,
    cells: z.record(z.string(), z.string()),
    input: jsonObject.exactOptional(),
    preview: jsonValue.exactOptional(),
    reply: jsonValue.exactOptional(),
    attempt,
    enriched: z.array(z.object({ column: z.string(), value: z.string() })),
  }),
);

/** An agent as its registry has it. */
export const agentDocument: z.ZodType<AgentDefinition> = named(
  "Agent",
  z.looseObject({ agent_name: z.string(), version: z.string(), status: publicationStatus, kind: z.string() }),
) as unknown as z.ZodType<AgentDefinition>;

/** A template as its registry has it. */
export const templateDocument: z.ZodType<TemplateDocument> = named(
  "Template",
  z.looseObject({ template_id: z.string(), version: z.string(), status: publicationStatus }),
);

/** @see SessionView */
export const sessionView: z.ZodType<SessionView> = named(
  "Session",
  z.object({
    id: z.string().describe("Tells it from others, and lets nobody in; the audit log has its first eight characters"),
    begunAt: time,
    usedAt: time.describe("When it was last used, to the minute, milliseconds since 1970, UTC"),
    expiresAt: time,
    from: z.string().exactOptional().describe("Address that it signed in from; absent behind a proxy"),
    browser: z.string().exactOptional().describe("What the browser calls itself: text of strangers"),
  }),
);

/** `id` of a path. */
export const runParams: z.ZodObject<{ id: z.ZodString }> = z.object({
  id: z.string().min(1).describe("Id or name of the run"),
});
