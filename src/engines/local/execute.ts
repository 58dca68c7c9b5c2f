import type { Attempt, FailedOutcome } from "../../core/attempt.ts";
import type { RowSelection, RunLimits, RunObserver } from "../../core/engine.ts";
import { messageOf, RowcallError } from "../../core/errors.ts";
import { maxCrashesAlone, suspectAfter } from "../../core/retry.ts";
import { stoppedOnRequest } from "../../core/run.ts";
import type { Services } from "../../core/services.ts";
import { isAnyInFlight } from "../../attempt/agent-scope.ts";
import type { MapInput } from "../../table/map.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { mapperOf } from "../../runs/new-run.ts";
import type { Journal, RunRecord } from "../../runs/journal.ts";
import { allowedConcurrency, limitsOf, toleranceReason } from "../../runs/run-limits.ts";
import { createRateLimiter, runPool, type RateLimiter, type Task } from "./scheduler.ts";
import { tellWaits } from "./tell-waits.ts";
import type { Block, OpenTable } from "../../table/staging.ts";

/** What running the rows of one run takes. */
export interface ExecuteSetup {
  /** Closed as soon as the rows are done. */
  readonly dispatcher: Dispatcher;
  readonly services: Services;
  readonly journal: Journal;
  readonly run: RunRecord;
  readonly table: OpenTable;
  readonly selection: RowSelection;
  readonly observer: RunObserver;
  /** Whether the process that ran these rows last died unasked: then no agent is called before its attempt is on disk. */
  readonly isAfterCrash: boolean;
  /** Tells by `change` that this process has changed what is asked of the run; what others ask is looked for now and then. */
  readonly limitsChanged: EventTarget;
  /** Called after commits, and when the run is paused or goes on, with the rows that are decided, and under way, now. */
  onProgress(counts: Pick<RunRecord, "succeeded" | "failed" | "inFlight">, limits: RunLimits): void;
}

/** Why no new row is started any more. */
export interface Ending {
  readonly status: "finished" | "interrupted" | "stopped";
  readonly reason?: string;
}

const pollMs = 500;
// Shorter waits are over before anybody reads of them.
const toldFromMs = 1000;

type Settle = (
  attempt: Attempt,
  how: { readonly waitMs: number | undefined; readonly isCall: boolean },
) => Promise<void> | undefined;

/**
 * Attempts every row that is not decided yet.
 *
 * @throws RowcallError when the journal cannot be written; what is committed stays
 */
export async function executeRows(setup: ExecuteSetup): Promise<Ending> {
  const { dispatcher, services, journal, run, observer } = setup;
  const { execution } = run.batch;
  const mapInput = mapperOf(setup);
  const drain = new AbortController();
  let ending: Ending = { status: "finished" };
  let failure: RowcallError | undefined;
  const end = (how: Ending): void => {
    if (drain.signal.aborted) return;
    ending = how;
    noteEnding(setup, how);
    drain.abort();
    attempts.drain();
  };
  const onFailure = (error: unknown): void => {
    failure = new RowcallError("JOURNAL_UNREADABLE", `The journal cannot be written: ${messageOf(error)}`, {
      hint: `Free space on the disk of the data directory, then go on: rowcall resume ${run.id}`,
      cause: error,
    });
    end({ status: "interrupted", reason: "The journal cannot be written" });
  };
  const onInterrupt = (): void => end({ status: "interrupted", reason: "Interrupted" });

  let isFinished = false;
  let { succeeded, failed } = run;
  // Counted since the run was started or resumed, so that a resumed run gets as far as a new one would.
  let failedNow = 0;
  // Read anew: somebody may have asked while the run was made ready.
  let limits = limitsOf({ batch: run.batch, limits: journal.requested(run.seq).limits });
  let inFlight = 0;
  const attempts = dispatcher.begin({
    run,
    observer,
    onBegin: (task, at) => {
      const isAlone = (task.isAlone === true || allowedConcurrency(limits) === 1) && !isAnyInFlight();
      log.started(task.row, { number: task.number, at, isAlone });
      return setup.isAfterCrash ? log.drain() : undefined;
    },
    onFailure,
  });
  const log = journal.openLog(run.seq, {
    underWay: () => inFlight,
    // With as many in flight, a kill makes no more than twice the concurrency be called again.
    mostUncommitted: () => allowedConcurrency(limits),
    onDurable: (entries) => {
      for (const { attempt, decides, weight } of entries) {
        observer.onEvent?.({ type: "attempt", attempt, final: decides });
        if (decides && attempt.outcome.status === "succeeded") succeeded += weight;
        if (decides && attempt.outcome.status === "failed") failed += weight;
      }
      setup.onProgress({ succeeded, failed, inFlight }, limits);
      tellWaiting();
      attempts.committed(entries.map(({ attempt }) => attempt));
    },
    onFailure,
  });
  const applyTolerance = (): void => {
    const reason = toleranceReason(limits, failedNow, run.total);
    if (reason !== undefined) end({ status: "stopped", reason });
  };
  const tellWaiting = tellWaits(services, () => journal.waits.current(run.seq), observer);
  const settle: Settle = (attempt, { waitMs, isCall }) => {
    const decides = waitMs === undefined;
    const dueAt = waitMs === undefined || waitMs < toldFromMs ? {} : { dueAt: services.clock() + Math.round(waitMs) };
    const weight = decides && execution.dedupe ? journal.weight(run.seq, attempt.row) : 1;
    if (decides && attempt.outcome.status === "failed") failedNow += weight;
    applyTolerance();
    return log.ended({ attempt, decides, weight, ...dueAt }, isCall);
  };
  const widened = new EventTarget();
  let widest = limits.maxConcurrency;
  const applyRequested = (): void => {
    const requested = journal.requested(run.seq);
    const before = limits;
    limits = limitsOf({ batch: run.batch, limits: requested.limits });
    if ((limits.paused === true) !== (before.paused === true)) {
      attempts.hold(limits.paused === true);
      const message = limits.paused === true ? "Paused: no attempt starts" : "No longer paused: attempts start again";
      observer.onEvent?.({ type: "notice", message });
      setup.onProgress({ succeeded, failed, inFlight }, limits);
    }
    if (limits.maxConcurrency > widest) attempts.widen((widest = limits.maxConcurrency));
    if (requested.stopRequested) end({ status: "stopped", reason: stoppedOnRequest });
    applyTolerance();
    widened.dispatchEvent(new Event("change"));
  };
  const poll = setInterval(applyRequested, pollMs);
  setup.limitsChanged.addEventListener("change", applyRequested);
  if (limits.paused === true) {
    attempts.hold(true);
    const message = `Run ${run.id} is paused: no attempt starts`;
    observer.onEvent?.({ type: "warning", message, hint: `Let it go on: rowcall resume ${run.id}` });
  }
  observer.drain?.addEventListener("abort", onInterrupt, { once: true });
  if (observer.drain?.aborted === true) onInterrupt();
  try {
    await runPool({
      tasks: pendingTasks(setup, mapInput, settle),
      attempt: attempts.attempt,
      onStart: () => {
        inFlight += 1;
      },
      onInterrupted: () => {
        inFlight -= 1;
      },
      onEnd: (attempt, waitMs) => {
        inFlight -= 1;
        return settle(attempt, { waitMs, isCall: true });
      },
      maxConcurrency: () => allowedConcurrency(limits),
      widened,
      retry: execution.retry,
      ...limiterOf(run, dispatcher),
      monotonic: services.monotonic,
      random: services.random,
      drain: drain.signal,
    });
    await log.drain();
    isFinished = ending.status === "finished";
  } finally {
    clearInterval(poll);
    setup.limitsChanged.removeEventListener("change", applyRequested);
    observer.drain?.removeEventListener("abort", onInterrupt);
    await log.close();
    attempts.close(isFinished);
    await dispatcher.close();
  }
  if (failure !== undefined) throw failure;
  return ending;
}

// Rows whose input is wrong are decided here, without taking a place in the pool: they cost nothing.
async function* pendingTasks(
  { journal, run, table, selection, services, dispatcher }: ExecuteSetup,
  mapInput: MapInput,
  settle: Settle,
): AsyncGenerator<readonly Task[]> {
  for await (const block of table.blocks(selection)) {
    const history = journal.history(run.seq, block.first, block.last);
    const leaders = journal.leaders(run.seq, block.first, block.last);
    const isOpen = (row: number): boolean => history.get(row)?.decided !== true && !leaders.has(row);
    if (history.size + leaders.size > block.last - block.first && !hasOpen(block, isOpen)) continue;
    const tasks: Task[] = [];
    for (const row of block.rows()) {
      if (!isOpen(row.index)) continue;
      const past = history.get(row.index);
      const goesOn = past?.underWay === true && dispatcher.outlivesProcess;
      const number = (past?.lastNumber ?? 0) + (goesOn ? 0 : 1);
      const mapped = mapInput(row);
      const { failures = 0, losses = 0, crashes = 0, crashesAlone = 0 } = past ?? {};
      const isAlone = Math.max(losses, crashes) >= suspectAfter;
      const failure = "failure" in mapped ? mapped.failure : crashesAlone >= maxCrashesAlone && crashed(crashesAlone);
      if (failure !== false)
        await settle(refused(row.index, number, services.clock(), failure), { waitMs: undefined, isCall: false });
      else if ("input" in mapped)
        tasks.push({ row: row.index, input: mapped.input, number, failures, losses, isAlone });
    }
    yield tasks;
  }
}

function hasOpen({ first, last }: Block, isOpen: (row: number) => boolean): boolean {
  for (let row = first; row <= last; row += 1) if (isOpen(row)) return true;
  return false;
}

function refused(row: number, number: number, at: number, outcome: FailedOutcome): Attempt {
  return { row, number, startedAt: at, endedAt: at, outcome, steps: [], artifacts: [] };
}

function crashed(times: number): FailedOutcome {
  return {
    status: "failed",
    code: "AGENT_CRASHED",
    message: `The process died ${times} times while this row alone was in flight`,
    hint: "The agent ended it, or took all of its memory. When it was ended from outside instead, rerun the row: rowcall rerun last --failed",
    retryable: false,
  };
}

// A process that dies from here on was asked to, and no row is suspected of it.
function noteEnding({ journal, run }: ExecuteSetup, { reason }: Ending): void {
  try {
    journal.updateRun(run.id, { reason: reason ?? null });
  } catch {
    // The run ends because of its journal, or is about to notice.
  }
}

function limiterOf({ batch }: RunRecord, { targetHost }: Dispatcher): { limiter?: RateLimiter } {
  const { rateLimit } = batch.execution;
  if (rateLimit === undefined) return {};
  const keyOf = rateLimit.per === "agent" ? () => "" : ({ input }: Task) => targetHost(input) ?? "";
  return { limiter: createRateLimiter(rateLimit.requestsPerSecond, keyOf) };
}
