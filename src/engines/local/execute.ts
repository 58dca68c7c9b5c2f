import type { Attempt, FailedOutcome } from "../../core/attempt.ts";
import type { RunLimits } from "../../core/engine.ts";
import { maxCrashesAlone, suspectAfter } from "../../core/retry.ts";
import type { Services } from "../../core/services.ts";
import { isAnyInFlight } from "../../attempt/agent-scope.ts";
import type { RunRecord } from "../../runs/journal.ts";
import { pendingRows, type OpenRun, type PendingRow } from "../../runs/open-run.ts";
import { allowedConcurrency } from "../../runs/run-limits.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { RunControl, type ControlSetup, type Ending } from "./run-control.ts";
import { createRateLimiter, runPool, type RateLimiter, type Task } from "./scheduler.ts";
import { tellWaits } from "./tell-waits.ts";

/** What running the rows of one run takes. */
export interface ExecuteSetup extends ControlSetup {
  /** Closed as soon as the rows are done. */
  readonly dispatcher: Dispatcher;
  readonly services: Services;
  /** Whether the process that ran these rows last died unasked: then no agent is called before its attempt is on disk. */
  readonly isAfterCrash: boolean;
  /** Called after commits, and when the run is paused or goes on, with the rows that are final, and in flight, now. */
  onProgress(counts: Pick<RunRecord, "succeeded" | "failed" | "inFlight">, limits: RunLimits): void;
}

// Shorter waits are over before anybody reads of them.
const toldFromMs = 1000;

/**
 * Attempts every row that is not final yet: from the table through the pool to an agent, and from there into the journal.
 *
 * @throws RowcallError when the journal cannot be written; what is committed stays
 */
export async function executeRows(setup: ExecuteSetup): Promise<Ending> {
  const { open, dispatcher, services, observer, onProgress } = setup;
  const { journal, run } = open;
  const { execution } = run.batch;
  const counts = { succeeded: run.succeeded, failed: run.failed, inFlight: 0 };
  const tellWaiting = tellWaits(services, () => journal.waits.current(run.seq), observer);

  const control = new RunControl(setup);
  const attempts = dispatcher.begin({ run, observer, drain: control.drain, onFailure: control.fail });
  const log = journal.openLog(run.seq, {
    underWay: () => counts.inFlight,
    // With as many in flight, a kill makes no more than twice the concurrency be called again.
    mostUncommitted: () => allowedConcurrency(control.limits),
    onDurable: (entries) => {
      for (const { attempt, decides, weight } of entries) {
        observer.onEvent?.({ type: "attempt", attempt, final: decides });
        if (decides) counts[attempt.outcome.status] += weight;
      }
      onProgress(counts, control.limits);
      tellWaiting();
      attempts.committed(entries.map(({ attempt }) => attempt));
    },
    onFailure: control.fail,
  });

  const makeAttempt = async (task: Task): Promise<Attempt> => {
    counts.inFlight += 1;
    const attempt = await attempts.attempt(task, (at) => {
      const isAlone = (task.isAlone === true || allowedConcurrency(control.limits) === 1) && !isAnyInFlight();
      log.started(task.row, { number: task.number, at, isAlone });
      return setup.isAfterCrash ? log.drain() : undefined;
    });
    counts.inFlight -= 1;
    return attempt;
  };
  const record = (attempt: Attempt, waitMs?: number, isCall = true): Promise<void> | undefined => {
    const decides = waitMs === undefined;
    const weight = decides && execution.dedupe ? journal.weight(run.seq, attempt.row) : 1;
    if (decides && attempt.outcome.status === "failed") control.countFailed(weight);
    const dueAt = decides || waitMs < toldFromMs ? {} : { dueAt: services.clock() + Math.round(waitMs) };
    return log.ended({ attempt, decides, weight, ...dueAt }, isCall);
  };
  const refuse = (attempt: Attempt): Promise<void> | undefined => record(attempt, undefined, false);

  let applied: RunLimits = { maxConcurrency: control.limits.maxConcurrency };
  const applyLimits = (): void => {
    const { paused = false, maxConcurrency } = control.limits;
    if (paused !== (applied.paused ?? false)) {
      attempts.hold(paused);
      observer.onEvent?.({
        type: "notice",
        message: paused ? "Paused: no attempt starts" : "No longer paused: attempts start again",
      });
      onProgress(counts, control.limits);
    }
    const widest = Math.max(maxConcurrency, applied.maxConcurrency);
    if (widest > applied.maxConcurrency) attempts.widen(widest);
    applied = { paused, maxConcurrency: widest };
  };
  control.changed.addEventListener("change", applyLimits);
  if (control.limits.paused === true) {
    applied = { ...applied, paused: true };
    attempts.hold(true);
    const message = `Run ${run.id} is paused: no attempt starts`;
    observer.onEvent?.({ type: "warning", message, hint: `Let it go on: rowcall resume ${run.id}` });
  }

  let isFinished = false;
  try {
    control.listen();
    await runPool({
      tasks: pendingTasks(open, dispatcher, services, refuse),
      attempt: makeAttempt,
      onEnd: record,
      maxConcurrency: () => allowedConcurrency(control.limits),
      widened: control.changed,
      retry: execution.retry,
      ...limiterOf(run, dispatcher),
      monotonic: services.monotonic,
      random: services.random,
      drain: control.drain,
    });
    await log.drain();
    isFinished = !control.drain.aborted;
  } finally {
    control.close();
    await log.close();
    attempts.close(isFinished);
    await dispatcher.close();
  }
  return control.conclude();
}

// Rows that cannot be attempted become final here, without taking a place in the pool: they cost nothing.
async function* pendingTasks(
  open: OpenRun,
  { outlivesProcess }: Dispatcher,
  { clock }: Services,
  refuse: (attempt: Attempt) => Promise<void> | undefined,
): AsyncGenerator<readonly Task[]> {
  for await (const rows of pendingRows(open)) {
    const tasks: Task[] = [];
    for (const pending of rows) {
      const { row, past, mapped } = pending;
      const number = past?.underWay === true && outlivesProcess ? past.lastNumber : pending.number;
      const outcome = failureOf(pending);
      if (outcome !== undefined) {
        const at = clock();
        await refuse({ row, number, startedAt: at, endedAt: at, outcome, steps: [], artifacts: [] });
      } else if ("input" in mapped) {
        const { failures = 0, losses = 0, crashes = 0 } = past ?? {};
        const isAlone = Math.max(losses, crashes) >= suspectAfter;
        tasks.push({ row, input: mapped.input, number, failures, losses, isAlone });
      }
    }
    yield tasks;
  }
}

/** Why a row is not attempted; undefined when it is. */
function failureOf({ past, mapped }: PendingRow): FailedOutcome | undefined {
  if ("failure" in mapped) return mapped.failure;
  const times = past?.crashesAlone ?? 0;
  if (times < maxCrashesAlone) return undefined;
  return {
    status: "failed",
    code: "AGENT_CRASHED",
    message: `The process died ${times} times while this row alone was in flight`,
    hint: "The agent ended it, or took all of its memory. When it was ended from outside instead, rerun the row: rowcall rerun last --failed",
    retryable: false,
  };
}

function limiterOf({ batch }: RunRecord, { targetHost }: Dispatcher): { limiter?: RateLimiter } {
  const { rateLimit } = batch.execution;
  if (rateLimit === undefined) return {};
  const keyOf = rateLimit.per === "agent" ? () => "" : ({ input }: Task) => targetHost(input) ?? "";
  return { limiter: createRateLimiter(rateLimit.requestsPerSecond, keyOf) };
}
