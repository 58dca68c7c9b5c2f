import { z } from "zod";
import { recordingLevels, type AgentDefinition, type RecordingLevel } from "../core/agent.ts";
import {
  type Artifact,
  type StepRecord,
  outcomeOf,
  failedOutcome,
  type Attempt,
  type FailedOutcome,
  type Outcome,
} from "../core/attempt.ts";
import { isJsonObject, type JsonObject, parseJson, type JsonValue } from "../core/json.ts";
import { parseWith } from "../core/schema.ts";
import type { TemplateDocument } from "../core/template.ts";
import type { ObjectStore } from "../core/object-store.ts";
import { joinUri } from "../core/uri.ts";
import type { AttemptSetup } from "./run-attempt.ts";
import type { TaskEnd } from "../core/activity.ts";
import { maxAnswerSize } from "../core/admit.ts";
import { isErrorCode, RowcallError } from "../core/errors.ts";
import type { ExtractOutput } from "./extract.ts";
import { createStepList } from "./step-list.ts";

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
function readAttemptRecord(value: unknown): AttemptRecord | undefined {
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

/** Where one attempt keeps what it leaves behind: a folder of its own under the prefix, named by row and attempt. */
export function attemptFolder(prefix: string, row: number, attempt: number): string {
  return joinUri(prefix, `${row}-${attempt}`);
}

/** Keeps the files of attempts under a prefix, and replaces none. */
export function artifactSaver(store: ObjectStore, prefix: string): AttemptSetup["saveArtifact"] {
  return async (row, attempt, name, content, contentType) => {
    const uri = joinUri(attemptFolder(prefix, row, attempt), name);
    return (await store.write(uri, content, { contentType, ifAbsent: true })).uri;
  };
}

/** What a worker answers to a task. */
export type TaskAnswer =
  | { readonly status: "succeeded"; readonly output: string }
  | { readonly status: "failed"; readonly error: string; readonly cause: string };

/** Largest cause of a failed task, in characters. */
const causeLimit = 32_768;

/** An attempt as the answer to its task. */
export function answerWith(attempt: Attempt): TaskAnswer {
  const { outcome, startedAt, endedAt, steps, artifacts } = attempt;
  const record: AttemptRecord = { started_at: startedAt, ended_at: endedAt, steps, artifacts };
  if (outcome.status === "failed") return { status: "failed", error: outcome.code, cause: causeOf(outcome, record) };
  const reply: AttemptReply = { structured_output: outcome.output, attempt: record };
  return { status: "succeeded", output: JSON.stringify(reply) };
}

// The message matters more than the pictures, and the pictures more than the steps.
function causeOf({ message, hint, retryAfterMs }: FailedOutcome, record: AttemptRecord): string {
  const failure = (text: string, attempt: AttemptRecord): string => {
    const cause: AttemptFailure = { message: text, hint, retry_after_ms: retryAfterMs, attempt };
    return JSON.stringify(cause);
  };
  const bare = { ...record, steps: [] };
  const candidates = [failure(message, record), failure(message, bare)];
  const shortened = JSON.stringify({ message: message.slice(0, causeLimit / 8) } satisfies AttemptFailure);
  return candidates.find((text) => text.length <= causeLimit) ?? shortened;
}

/** What of an attempt its task's answer tells. */
export interface ReadAnswer {
  readonly outcome: Outcome;
  /** Undefined when the worker is not one of Rowcall's. */
  readonly record?: AttemptRecord;
}

/** Whose answers are read. */
export interface AnswerSource {
  readonly extract: ExtractOutput;
  /** Where answers stand that were too large to be sent. */
  readonly store: ObjectStore;
  /** Prefix of the run's recordings: a worker is taken at its word for what lies in its attempt's folder there, and nowhere else. */
  readonly recordingsUri: string;
}

/** Which attempt an answer belongs to. */
export type AnsweredAttempt = Pick<Attempt, "row" | "number">;

/**
 * Reads a worker's answer: Rowcall's own, or that of any other program, which may be an agent's bare reply, or an error with any
 * text as its cause.
 */
export async function readAnswer(
  end: Exclude<TaskEnd, { readonly status: "timed_out" }>,
  attempt: AnsweredAttempt,
  source: AnswerSource,
): Promise<ReadAnswer> {
  return end.status === "failed"
    ? readFailure(end.error, end.cause, folderOf(attempt, source))
    : readReply(parseAnswer(end.output), attempt, source);
}

/** Reads the output of a task that succeeded. */
export async function readReply(sent: JsonValue, attempt: AnsweredAttempt, source: AnswerSource): Promise<ReadAnswer> {
  const folder = folderOf(attempt, source);
  try {
    const uri = isJsonObject(sent) ? sent["reply_uri"] : undefined;
    const reply = typeof uri === "string" ? parseAnswer(await readText(source.store, uri, folder)) : sent;
    return { outcome: source.extract(reply), ...recordIn(reply, folder) };
  } catch (thrown) {
    return { outcome: outcomeOf(thrown) };
  }
}

/** The attempt that an answer tells of; the times are those that hold when its worker tells none. */
export function toAttempt(
  attempt: AnsweredAttempt & Pick<Attempt, "worker">,
  { outcome, record = {} }: Pick<ReadAnswer, "outcome"> & { readonly record?: Partial<AttemptRecord> },
  times: Pick<Attempt, "startedAt" | "endedAt">,
): Attempt {
  const { started_at: startedAt = times.startedAt, ended_at: endedAt = times.endedAt } = record;
  const { steps = [], artifacts = [] } = record;
  return { ...attempt, startedAt, endedAt, outcome, steps, artifacts };
}

function folderOf({ row, number }: AnsweredAttempt, { recordingsUri }: AnswerSource): string {
  return attemptFolder(recordingsUri, row, number);
}

function liesIn(folder: string, uri: string): boolean {
  return uri.startsWith(`${folder}/`) && !/[/\\]|^\.\.?$|%2f|%5c/i.test(uri.slice(folder.length + 1));
}

function readFailure(error: string | undefined, cause: string | undefined, folder: string): ReadAnswer {
  const told = parseAnswer(cause ?? "");
  const { message, hint, retry_after_ms: retryAfterMs } = isJsonObject(told) ? told : {};
  // The run alone says that an attempt was interrupted: it would count for nothing.
  const isCode = error !== undefined && isErrorCode(error) && error !== "INTERRUPTED";
  const words = typeof message === "string" ? message : (cause ?? "");
  const text = [isCode ? "" : (error ?? ""), words].filter((part) => part !== "").join(": ");
  const outcome = failedOutcome(isCode ? error : "AGENT_FAILED", text || "The worker gave no reason", {
    hint: typeof hint === "string" ? hint : undefined,
    retryAfterMs: typeof retryAfterMs === "number" ? retryAfterMs : undefined,
  });
  return { outcome, ...recordIn(told, folder) };
}

// The server opens recordings with its own rights: a file elsewhere is none of the attempt's.
function recordIn(told: JsonValue, folder: string): { readonly record?: AttemptRecord } {
  const record = isJsonObject(told) ? readAttemptRecord(told["attempt"]) : undefined;
  if (record === undefined) return {};
  return { record: { ...record, artifacts: record.artifacts.filter(({ uri }) => liesIn(folder, uri)) } };
}

// Text that is no JSON is an answer too: one in which nothing is found.
function parseAnswer(text: string): JsonValue {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}

async function readText(store: ObjectStore, uri: string, folder: string): Promise<string> {
  if (!liesIn(folder, uri)) {
    throw new RowcallError("OUTPUT_INVALID", `The worker names ${uri} as its reply, which is not in ${folder}/`, {
      hint: "A worker keeps large replies beside the recordings of its attempt.",
    });
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of store.read(uri)) {
    size += chunk.length;
    // A character takes up to six bytes of JSON.
    if (size > 6 * maxAnswerSize) {
      throw new RowcallError(
        "OUTPUT_INVALID",
        `The reply at ${uri} is larger than ${(6 * maxAnswerSize) / 2 ** 20} MiB`,
        {
          hint: "An answer is one row: have the agent answer with less.",
        },
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
