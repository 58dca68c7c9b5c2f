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
import { runStatuses } from "../../core/run.ts";
import type { RunView } from "../run-view.ts";
import { publicationStatus, type TemplateDocument } from "../../core/template.ts";
import type { PlanReport } from "../../app/plan.ts";
import type { SessionView } from "../security/session.ts";
import type { Tried } from "../tries.ts";
import type { Media } from "./operation.ts";

/** An object that the document has under a name of its own. */
function component<Shape extends z.core.$ZodLooseShape>(id: string, shape: Shape) {
  const schema = z.object(shape);
  z.globalRegistry.add(schema, { id });
  return schema;
}

const codes = Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]];
const count = z.int().min(0);
const time = z.int().describe("Milliseconds since 1970, UTC");

/** Any JSON value: what is read with these schemas was JSON. */
const jsonValue: z.ZodType<JsonValue> = z.unknown() as unknown as z.ZodType<JsonValue>;
/** Any JSON object. */
export const jsonObject: z.ZodType<JsonObject> = z.record(z.string(), jsonValue);
/** One of the codes of the error table. */
export const errorCode = z.enum(codes).register(z.globalRegistry, { id: "ErrorCode" });
/** @see RunStatus */
export const runStatus = z.enum(runStatuses);
/** @see RowStatus */
export const rowStatus: z.ZodType<RowStatus> = z.enum(["pending", "in_flight", "succeeded", "failed"]);
/** Ranges of rows: 0-based, ends included, in order. */
export const rowSelection: z.ZodType<RowSelection> = z
  .array(z.tuple([count, count]))
  .min(1)
  .refine(
    (ranges) => ranges.every(([first, last], i) => first <= last && first > (ranges[i - 1]?.[1] ?? -1)),
    "must be ranges in order that do not overlap",
  )
  .describe("Ranges of rows, counted from 0, ends included, in order and not overlapping: [[3, 3], [7, 9]]");

const apiProblem = component("Problem", {
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe("What happened, with the value"),
  code: errorCode,
  hint: z.string().exactOptional().describe("What to do next"),
  details: z.record(z.string(), z.unknown()).exactOptional(),
});
/**
 * An error as the API answers it; `details.problems` lists everything that is wrong.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
export type ApiProblem = z.output<typeof apiProblem>;

/** @see RunView */
export const runView: z.ZodType<RunView> = component("Run", {
  id: z.string(),
  name: z.string().exactOptional(),
  status: runStatus,
  paused: z.literal(true).exactOptional().describe("No attempt starts until the run is unpaused"),
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
  successRate: z.number().min(0).max(1).exactOptional().describe("Share of the final rows that succeeded"),
  rowsPerSecond: z.number().min(0).exactOptional(),
  secondsLeft: z.number().min(0).exactOptional(),
});

/** @see RunLimits */
const runLimits: z.ZodType<RunLimits> = component("Limits", {
  paused: z.boolean().exactOptional(),
  maxConcurrency: z.int().min(1),
  toleratedFailurePercentage: z.number().min(0).max(100).exactOptional(),
  toleratedFailureCount: count.exactOptional(),
});

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
const attempt: z.ZodType<Attempt> = component("Attempt", {
  row: count,
  number: z.int().min(1),
  startedAt: time,
  endedAt: time,
  outcome,
  steps: z.array(step),
  artifacts: z.array(z.object({ name: z.string(), uri: z.string(), contentType: z.string() })),
  worker: z.string().exactOptional(),
});

/** @see RowReport */
export const rowReport: z.ZodType<RowReport> = component("Row", {
  row: count,
  line: z.int().min(1),
  status: rowStatus,
  cells: z.record(z.string(), z.string()).describe("As the input has them: untrusted text"),
  input: jsonObject.exactOptional().describe("What the agent gets; absent when the row cannot be mapped"),
  attempts: z.array(attempt),
  waitingUntil: time
    .exactOptional()
    .describe("When the next attempt of a waiting row is due, milliseconds since 1970, UTC; its last attempt says why"),
  sameAs: count.exactOptional(),
});

/** @see RowPage */
export const rowPage: z.ZodType<RowPage> = component("RowPage", {
  rows: z.array(rowReport),
  next: z.string().exactOptional().describe("`after` of the next page; there may be more although this page is short"),
});

/** @see RunSurvey */
export const runSurvey: z.ZodType<RunSurvey> = component("Survey", {
  failures: z.array(
    z.object({
      code: errorCode,
      count,
      row: count,
      line: count.exactOptional(),
      message: z.string(),
      hint: z.string().exactOptional(),
    }),
  ),
  slowest: z.array(z.object({ row: count, attempts: count, durationMs: z.number() })),
  timeline: z.object({
    sliceMs: z.number(),
    slices: z.array(z.object({ at: time, succeeded: count, failed: count })),
  }),
  workers: z.array(z.object({ worker: z.string(), attempts: count, lost: count })),
  attempts: count,
  meanAttemptMs: z.number().exactOptional(),
});

/** @see Delivery */
export const delivery: z.ZodType<Delivery> = component("Delivery", {
  id: z.string(),
  channel: z.string(),
  kind: z.enum(["success", "failure"]),
  status: z.enum(["pending", "delivered", "failed"]),
  tries: count,
  triedAt: time,
  error: z.object({ code: errorCode, message: z.string(), hint: z.string().exactOptional() }).exactOptional(),
});

/** A run with its limits and notifications. */
export const runDetail = z.object({
  run: runView,
  limits: runLimits,
  deliveries: z.array(delivery),
  isHere: z.boolean().describe("Whether the run is in the server's process"),
});
/** A run with its limits and notifications. */
export type RunDetail = z.output<typeof runDetail>;

/** A batch as its file has it, and how much of it to run. */
export const batchRequest = z.strictObject({
  batch: jsonObject.describe("As a batch file has it"),
  name: z.string().min(1).optional().describe("The same name again continues the run, or shows it"),
  rows: rowSelection.optional(),
  limit: z.int().min(1).optional(),
  force: z.boolean().optional().describe("Replace an output file that exists"),
});
/** A batch as its file has it, and how much of it to run. */
export type BatchRequest = z.output<typeof batchRequest>;

/** @see DeletedRun */
export const deletedRun: z.ZodType<DeletedRun> = component("DeletedRun", {
  id: z.string(),
  name: z.string().exactOptional(),
  rows: count.describe("Rows that the run had"),
  removed: z.array(z.string()).describe("Folders and files that are gone; what was in the journal is not named"),
  left: z
    .array(z.object({ uri: z.string(), why: z.string() }))
    .describe("Places that still hold, or may hold, rows of the run"),
});

/** @see PlanReport */
export const planReport: z.ZodType<PlanReport> = component("Plan", {
  runnable: z.boolean(),
  agent: z.string(),
  checks: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      status: z.enum(["passed", "failed", "warning", "skipped"]),
      detail: z.string(),
      hint: z.string().exactOptional(),
      problems: z
        .array(z.object({ path: z.string(), message: z.string(), hint: z.string().exactOptional() }))
        .exactOptional(),
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
  estimate: z.object({
    rows: count,
    concurrency: count,
    secondsPerRow: z.number().exactOptional(),
    costPerRowUsd: z.number().exactOptional(),
    seconds: z.number().exactOptional(),
    costUsd: z.number().exactOptional(),
    basis: z.string(),
  }),
});

/** @see Tried */
export const tryResult: z.ZodType<Tried> = component("Try", {
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
});

/** An agent as its registry has it. */
export const agentDocument = z
  .looseObject({ agent_name: z.string(), version: z.string(), status: publicationStatus, kind: z.string() })
  .register(z.globalRegistry, { id: "Agent" }) as unknown as z.ZodType<AgentDefinition>;

/** A template as its registry has it. */
export const templateDocument: z.ZodType<TemplateDocument> = z
  .looseObject({ template_id: z.string(), version: z.string(), status: publicationStatus })
  .register(z.globalRegistry, { id: "Template" });

/** One place in which two documents differ. */
export const difference = z.object({
  path: z.array(z.union([z.string(), z.int()])),
  before: jsonValue.exactOptional(),
  after: jsonValue.exactOptional(),
});
/**
 * One place in which two documents differ: `["steps", 2, "selector"]`, empty for the whole. `before` or `after` is absent where the
 * place is only in the other.
 */
export type Difference = z.output<typeof difference>;

/** @see SessionView */
export const sessionView: z.ZodType<SessionView> = component("Session", {
  id: z.string().describe("Tells it from others, and lets nobody in; the audit log has its first eight characters"),
  begunAt: time,
  usedAt: time.describe("When it was last used, to the minute, milliseconds since 1970, UTC"),
  expiresAt: time,
  from: z.string().exactOptional().describe("Address that it signed in from; absent behind a proxy"),
  browser: z.string().exactOptional().describe("What the browser calls itself: untrusted text"),
});

/** `id` of a path. */
export const runParams = z.object({ id: z.string().min(1).describe("Id or name of the run") });

/** A file that an attempt left behind. */
export const recordingFile: Media = {
  media: ["image/*", "video/*", "application/octet-stream"],
  description: "The file",
  isRanged: true,
};
