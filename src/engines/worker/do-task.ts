import type { TakenTask, TokenVerdict } from "../../core/activity.ts";
import { writeUnderFreeName } from "../../attempt/artifact-name.ts";
import {
  parseAttemptTask,
  type AttemptTask,
  answerWith,
  type TaskAnswer,
  artifactSaver,
  attemptFolder,
} from "../../attempt/attempt-answer.ts";
import { outcomeOf, type Attempt } from "../../core/attempt.ts";
import { errorKind, messageOf, RowcallError } from "../../core/errors.ts";
import type { Services } from "../../core/services.ts";
import { joinUri, schemeOf } from "../../core/uri.ts";
import { runAttempt } from "../../attempt/run-attempt.ts";
import { pause, type Backoff, startHeartbeats, type TaskSource, type WorkerEvent } from "./task-source.ts";
import type { SharedAgents } from "./shared-agents.ts";

/** What doing tasks takes. */
export interface TaskSetup {
  readonly tasks: TaskSource;
  readonly services: Services;
  readonly agents: SharedAgents;
  /** The worker's name. */
  readonly name: string;
  readonly backoff: Backoff;
  /** Told of files that only this machine has. */
  noteLocalFile(uri: string): void;
  /** Told of what agents do after their attempts. */
  warn(message: string, hint: string): void;
  onEvent(event: WorkerEvent): void;
}

/** Largest output that Step Functions takes, in bytes. */
const outputLimit = 256 * 1024;
const answerTries = 8;

/**
 * Makes the attempt that a task asks for and answers. What goes wrong with the row is the answer.
 *
 * @throws RowcallError when the agent cannot be opened on this machine: the row is given back for another worker
 */
export async function doTask(setup: TaskSetup, { token, input }: TakenTask): Promise<void> {
  let task: AttemptTask;
  try {
    task = parseAttemptTask(JSON.parse(input));
  } catch (thrown) {
    const cause = JSON.stringify({ message: messageOf(thrown) });
    setup.onEvent({ type: "warning", message: `A task cannot be read: ${messageOf(thrown)}` });
    await deliver(setup, token, { status: "failed", error: "BATCH_INVALID", cause }, new AbortController().signal);
    return;
  }
  const name = { runId: task.run_id, row: task.row, attempt: task.attempt };
  setup.onEvent({ type: "taken", ...name });
  const heartbeats = startHeartbeats(setup.tasks, token, task.heartbeat_seconds);
  try {
    const made = await makeAttempt(setup, task, heartbeats.lost);
    const { outcome, startedAt, endedAt } = made.attempt;
    const answer = heartbeats.lost.aborted ? undefined : await answerOf(setup, task, made.attempt);
    const verdict = answer === undefined ? "over" : await deliver(setup, token, answer, heartbeats.lost);
    if (verdict === "accepted") setup.onEvent({ type: "ended", ...name, outcome, durationMs: endedAt - startedAt });
    else setup.onEvent({ type: "dropped", ...name, reason: reasons[verdict] });
    if (made.unfit !== undefined) throw made.unfit;
  } finally {
    heartbeats.stop();
  }
}

const reasons = {
  over: "the row had gone to another worker, or its time was up",
  unknown: "the row was taken back",
  unreachable: "the endpoint could not be reached to take the result",
} as const;

/** An attempt that a worker has made. */
export interface MadeAttempt {
  readonly attempt: Attempt;
  /** Why this machine cannot run the agent. */
  readonly unfit?: RowcallError;
}

/** Makes the attempt that a task asks for; never throws for what is wrong with the row. */
export async function makeAttempt(
  setup: Pick<TaskSetup, "services" | "agents" | "name" | "noteLocalFile"> & Partial<Pick<TaskSetup, "warn">>,
  task: AttemptTask,
  signal: AbortSignal,
): Promise<MadeAttempt> {
  const { services, agents } = setup;
  const { row, attempt: number, recording } = task;
  const save = artifactSaver(services.store, recording.prefix);
  const beganAt = services.clock();
  const began = services.monotonic();
  try {
    const attempt = await agents.use(task, ({ invoker, extract }) =>
      runAttempt(
        {
          invoker,
          extract,
          runId: task.run_id,
          timeoutMs: task.timeout_seconds * 1000,
          signal,
          clock: services.clock,
          monotonic: services.monotonic,
          saveArtifact: async (...file) => {
            const uri = await save(...file);
            if (schemeOf(uri) === "file") setup.noteLocalFile(uri);
            return uri;
          },
          warn: setup.warn,
        },
        task.input,
        row,
        number,
      ),
    );
    return { attempt };
  } catch (thrown) {
    const endedAt = beganAt + Math.round(services.monotonic() - began);
    const attempt = { row, number, startedAt: beganAt, endedAt, steps: [], artifacts: [] };
    const outcome = outcomeOf(thrown);
    if (outcome.retryable && thrown instanceof RowcallError) return { attempt: { ...attempt, outcome } };
    const unfit = unfitError(setup.name, task, thrown);
    return { attempt: { ...attempt, outcome: { ...outcomeOf(unfit), ...lost } }, unfit };
  }
}

// The run takes it as a worker that was lost, which it is: the row goes to another one.
const lost = { code: "WORKER_LOST", retryable: errorKind("WORKER_LOST").retryable } as const;

function unfitError(worker: string, { agent }: AttemptTask, thrown: unknown): RowcallError {
  const { code, hint } = thrown instanceof RowcallError ? thrown : { code: "AGENT_INVALID" as const, hint: undefined };
  const message = `Worker ${worker} cannot open agent ${agent.agent_name}: ${messageOf(thrown)}`;
  return new RowcallError(code, message, { hint, cause: thrown });
}

/** An attempt as the answer to its task; an output too large to be sent is written beside the recordings, and named. */
export async function answerOf(
  { services, noteLocalFile }: Pick<TaskSetup, "services" | "noteLocalFile">,
  task: AttemptTask,
  attempt: Attempt,
): Promise<TaskAnswer> {
  const answer = answerWith(attempt);
  if (answer.status === "failed" || Buffer.byteLength(answer.output) <= outputLimit) return answer;
  const folder = attemptFolder(task.recording.prefix, task.row, task.attempt);
  const content = Buffer.from(answer.output);
  const options = { contentType: "application/json", ifAbsent: true };
  try {
    // The agent may have kept a file of that name.
    const { written } = await writeUnderFreeName("reply.json", (name) =>
      services.store.write(joinUri(folder, name), content, options),
    );
    if (schemeOf(written.uri) === "file") noteLocalFile(written.uri);
    return { status: "succeeded", output: JSON.stringify({ reply_uri: written.uri }) };
  } catch (thrown) {
    return answerWith({ ...attempt, outcome: outcomeOf(thrown) });
  }
}

// A result has cost a row: it is offered again and again while the task is still this worker's.
async function deliver(
  { tasks, backoff, onEvent }: TaskSetup,
  token: string,
  answer: TaskAnswer,
  lost: AbortSignal,
): Promise<TokenVerdict | "unreachable"> {
  for (let failures = 1; ; failures += 1) {
    try {
      return answer.status === "succeeded"
        ? await tasks.succeed(token, answer.output)
        : await tasks.fail(token, answer.error, answer.cause);
    } catch (thrown) {
      const mayPass = thrown instanceof RowcallError && thrown.retryable;
      if (!mayPass || failures === answerTries) {
        onEvent({ type: "warning", message: messageOf(thrown) });
        return "unreachable";
      }
      await pause(backoff(failures), lost);
      if (lost.aborted) return "over";
    }
  }
}
