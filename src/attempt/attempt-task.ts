import { z } from "zod";
import { recordingLevels, type AgentDefinition, type RecordingLevel } from "../core/agent.ts";
import type { Artifact, StepRecord } from "../core/attempt.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { parseWith } from "../core/schema.ts";
import { createStepList } from "../core/step-list.ts";
import type { TemplateDocument } from "../core/template.ts";

/**
 * One attempt as a worker gets it, the input of an activity's task: all that it takes to make the attempt, so that a worker
 * needs no registry. snake_case, because other machines and state machines read it.
 */
export interface AttemptTask {
  readonly run_id: string;
  /** 0-based index of the row. */
  readonly row: number;
  /** 1-based. */
  readonly attempt: number;
  /** With the batch's settings laid over it. */
  readonly agent: AgentDefinition;
  /** Every template the agent asks for, by the reference it uses. */
  readonly templates: Readonly<Record<string, TemplateDocument>>;
  /** The mapped row. */
  readonly input: JsonObject;
  /** Limit of the attempt, counted from when the worker begins. */
  readonly timeout_seconds: number;
  /** Longest silence that is allowed; absent: no sign of life is asked for. */
  readonly heartbeat_seconds?: number | undefined;
  /** The batch's, for agents that name no state machine themselves. */
  readonly state_machine_arn?: string | undefined;
  readonly recording: { readonly level: RecordingLevel; readonly prefix: string };
}

// Not a record of Zod's, which leaves a field out that is called `__proto__`.
const object = z.custom<JsonObject>(isJsonObject, "must be an object");

const attemptTaskSchema = z.strictObject({
  run_id: z.string(),
  row: z.int().min(0),
  attempt: z.int().min(1),
  agent: object,
  templates: z.record(z.string(), object).default({}),
  input: object,
  timeout_seconds: z.number().positive(),
  heartbeat_seconds: z.number().positive().optional(),
  state_machine_arn: z.string().optional(),
  recording: z.strictObject({ level: z.enum(recordingLevels), prefix: z.string() }),
});

/**
 * Reads the input of a task.
 *
 * @throws RowcallError BATCH_INVALID when it is no attempt
 */
export function parseAttemptTask(value: unknown): AttemptTask {
  return parseWith(attemptTaskSchema, value, "BATCH_INVALID", "input of the task") as unknown as AttemptTask;
}

// Whole milliseconds that a date can have: the journal and the table take no others.
const time = z.int().min(0).max(8.64e15);

const attemptRecordSchema = z.object({
  started_at: time,
  ended_at: time,
  steps: z
    .array(
      z.object({
        name: z.string(),
        status: z.enum(["done", "failed", "skipped"]),
        durationMs: z.number(),
        detail: z.string().optional(),
      }),
    )
    .default([]),
  artifacts: z.array(z.object({ name: z.string(), uri: z.string(), contentType: z.string() })).default([]),
});

/** What a worker tells about an attempt besides its outcome. */
export interface AttemptRecord {
  /** Milliseconds since 1970, UTC. */
  readonly started_at: number;
  /** Milliseconds since 1970, UTC. */
  readonly ended_at: number;
  readonly steps: readonly StepRecord[];
  readonly artifacts: readonly Artifact[];
}

/** Reads a worker's record of an attempt; undefined when there is none, as from a worker that is not Rowcall's. */
export function readAttemptRecord(value: unknown): AttemptRecord | undefined {
  const record = attemptRecordSchema.safeParse(value).data;
  if (record === undefined) return undefined;
  const steps = createStepList();
  record.steps.forEach(steps.add);
  return { ...record, steps: steps.records() };
}

/**
 * What a worker answers to an attempt that succeeded, the task's output: an agent's reply, with the record beside it. An
 * output too large for Step Functions stands in an object, and the answer is `{ "reply_uri": URI }`.
 */
export interface AttemptReply {
  readonly structured_output: JsonObject;
  readonly attempt?: AttemptRecord;
}

/** The cause of a task that failed, as JSON; the task's error is the outcome's code. */
export interface AttemptFailure {
  readonly message: string;
  readonly hint?: string;
  readonly retry_after_ms?: number;
  readonly attempt?: AttemptRecord;
}
