import type { AgentInput, Artifacts, InvokeContext, Invoker } from "../core/agent.ts";
import type { Artifact, Attempt, FailedOutcome, Outcome, StepRecord } from "../core/attempt.ts";
import { errorKind, messageOf, RowcallError, type ErrorCode } from "../core/errors.ts";
import type { Clock } from "../core/services.ts";
import type { ExtractOutput } from "./extract.ts";

/** What an attempt needs besides the row's input. */
export interface AttemptSetup {
  readonly invoker: Invoker;
  readonly extract: ExtractOutput;
  readonly runId: string;
  /** Limit of the attempt in milliseconds. */
  readonly timeoutMs: number;
  /** Aborted when the run is killed: the attempt ends as INTERRUPTED. */
  readonly signal?: AbortSignal;
  readonly clock: Clock;
  /** Keeps one file of an attempt and returns its URI. */
  saveArtifact(row: number, attempt: number, name: string, content: Uint8Array, contentType: string): Promise<string>;
}

/**
 * Runs the agent once for one row. It never throws: whatever goes wrong is the attempt's outcome.
 * An agent that does not heed the signal is left behind when time is up.
 *
 * @param row - 0-based index
 * @param number - 1-based number of the attempt
 */
export async function runAttempt(
  setup: AttemptSetup,
  input: AgentInput,
  row: number,
  number: number,
): Promise<Attempt> {
  const { clock } = setup;
  const steps: StepRecord[] = [];
  const kept: Artifact[] = [];
  const artifacts: Artifacts = {
    step: (record) => void steps.push(record),
    save: async (name, content, contentType) => {
      const uri = await setup.saveArtifact(row, number, name, content, contentType);
      kept.push({ name, uri, contentType });
      return uri;
    },
  };
  const startedAt = clock();
  const outcome = await invokeInTime(setup, input, row, number, artifacts);
  return { row, number, startedAt, endedAt: clock(), outcome, steps, artifacts: kept };
}

async function invokeInTime(
  setup: AttemptSetup,
  input: AgentInput,
  row: number,
  attempt: number,
  artifacts: Artifacts,
): Promise<Outcome> {
  const { invoker, extract, runId, timeoutMs, signal: killed } = setup;
  const { promise: ended, resolve } = Promise.withResolvers<FailedOutcome>();
  let aborter: AbortController | undefined;
  let end: FailedOutcome | undefined;
  const finish = (outcome: FailedOutcome): void => {
    end = outcome;
    resolve(outcome);
    aborter?.abort(new RowcallError(outcome.code, outcome.message));
  };
  const onKilled = (): void => finish(failure("INTERRUPTED", "The run was interrupted"));
  // setTimeout counts in 32 bits; a longer limit is no limit.
  const timer = timeoutMs < 2 ** 31 ? setTimeout(() => finish(timedOut(timeoutMs)), timeoutMs) : undefined;
  killed?.addEventListener("abort", onKilled, { once: true });
  if (killed?.aborted === true) onKilled();
  const context: InvokeContext = {
    // Made when asked for: most agents that answer at once never do.
    get signal() {
      aborter ??= new AbortController();
      if (end !== undefined) aborter.abort(new RowcallError(end.code, end.message));
      return aborter.signal;
    },
    runId,
    row,
    attempt,
    artifacts,
  };
  try {
    return await Promise.race([ended, invoker.invoke(input, context).then(extract, outcomeOf)]);
  } catch (thrown) {
    return outcomeOf(thrown);
  } finally {
    clearTimeout(timer);
    killed?.removeEventListener("abort", onKilled);
  }
}

/** What was thrown as an outcome: our errors by their code, anything else as the agent's own failure. */
export function outcomeOf(thrown: unknown): FailedOutcome {
  if (!(thrown instanceof RowcallError))
    return failure("AGENT_FAILED", messageOf(thrown) || "The agent failed without a message");
  const retryAfterMs = thrown.details["retryAfterMs"];
  return {
    ...failure(thrown.code, thrown.message),
    ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
    ...(typeof retryAfterMs === "number" ? { retryAfterMs } : {}),
  };
}

function timedOut(timeoutMs: number): FailedOutcome {
  return {
    ...failure("TIMEOUT", "Execution timeout"),
    hint: `The attempt took longer than ${timeoutMs / 1000} s. Raise execution_config.timeout_seconds, or look at the recording.`,
  };
}

function failure(code: ErrorCode, message: string): FailedOutcome {
  return { status: "failed", code, message, retryable: errorKind(code).retryable };
}
