import type { ActivityQueue, TaskRequest, TaskState } from "../../core/activity.ts";
import type { Services } from "../../core/services.ts";
import type { AgentDefinition } from "../../core/agent.ts";
import { failedOutcome, type Attempt, type FailedOutcome } from "../../core/attempt.ts";
import { type AttemptTask, readAnswer, toAttempt, type AnswerSource } from "../../attempt/attempt-answer.ts";
import type { Batch } from "../../core/batch.ts";
import type { TemplateDocument } from "../../core/template.ts";
import { createExtractor } from "../../attempt/extract.ts";
import { lookAtAgent } from "../../attempt/resolve-agent.ts";
import type { Attempts, Dispatcher, DispatchSetup, OnBegin } from "./dispatcher.ts";
import type { RunRecord } from "../../runs/journal.ts";
import type { Task } from "./scheduler.ts";
import { watchWorkers } from "./worker-watch.ts";

// A worker ends an attempt by itself when its time is up; this is for one that goes on giving signs of life.
const graceSeconds = 30;
const lookMs = 1000;

/**
 * Leaves attempts to the workers that ask for an activity of the agent's name.
 *
 * @throws RowcallError for what is wrong with the agent
 */
export async function dispatchToWorkers(
  services: Services,
  queue: ActivityQueue,
  agent: AgentDefinition,
  batch: Batch,
  region: string | undefined,
): Promise<Dispatcher> {
  const { templates, invoker } = await lookAtAgent(services, agent, batch);
  return {
    outlivesProcess: true,
    targetHost: (input) => invoker?.targetHost?.(input),
    begin: (setup) => new WorkerAttempts(services, queue, templates, region, setup),
    close: async () => {},
  };
}

/** An attempt that was handed over. */
interface Handed {
  readonly task: Task;
  readonly onBegin: OnBegin;
  readonly resolve: (attempt: Attempt) => void;
  /** When a worker took it. */
  begunAt?: number;
}

class WorkerAttempts implements Attempts {
  readonly #services: Services;
  readonly #queue: ActivityQueue;
  readonly #templates: AttemptTask["templates"];
  readonly #setup: DispatchSetup;
  readonly #source: AnswerSource;
  readonly #handed = new Map<string, Handed>();
  /** Ended tasks that nobody asks for: of attempts that were committed before the run's process ended. */
  readonly #orphans = new Set<string>();
  readonly #watch: ReturnType<ActivityQueue["watch"]>;
  readonly #timer: NodeJS.Timeout;
  #unsent: string[] = [];
  #committed: string[] = [];
  #isHeld = false;

  constructor(
    services: Services,
    queue: ActivityQueue,
    templates: Readonly<Record<string, TemplateDocument>>,
    region: string | undefined,
    setup: DispatchSetup,
  ) {
    const { run, observer, drain } = setup;
    const activity = run.agent.agent_name;
    this.#services = services;
    this.#queue = queue;
    this.#templates = templates;
    this.#setup = setup;
    const { store } = services;
    this.#source = { extract: createExtractor(run.agent), store, recordingsUri: run.recordingsUri };
    queue.createActivity(activity);
    this.#watch = queue.watch(`${run.id}/`, (state) => this.#follow(state));
    const waiting = (): number => [...this.#handed.values()].filter(({ begunAt }) => begunAt === undefined).length;
    const lookAtWorkers = watchWorkers({ queue, activity, region, monotonic: services.monotonic, waiting, observer });
    this.#timer = setInterval(() => {
      this.#forgetCommitted();
      lookAtWorkers();
      // A worker that drains may have put a row back.
      if (drain.aborted) this.#takeBack();
      else if (this.#isHeld) this.#withdraw();
    }, lookMs);
    drain.addEventListener("abort", () => this.#takeBack(), { once: true });
  }

  attempt(task: Task, onBegin: OnBegin): Promise<Attempt> {
    return new Promise((resolve) => {
      const key = this.#keyOf(task);
      this.#handed.set(key, { task, onBegin, resolve });
      this.#orphans.delete(key);
      // Tasks that come together are written together.
      if (this.#unsent.push(key) === 1) setImmediate(() => this.#send());
    });
  }

  // Each worker has its own width.
  widen(): void {}

  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (isHeld) this.#withdraw();
    else this.#send();
  }

  committed(attempts: readonly Attempt[]): void {
    for (const attempt of attempts) this.#committed.push(this.#keyOf(attempt));
  }

  close(isFinished: boolean): void {
    clearInterval(this.#timer);
    this.#watch.close();
    if (isFinished) this.#committed.push(...this.#orphans);
    this.#forgetCommitted();
  }

  #keyOf({ row, number }: Pick<Task, "row" | "number">): string {
    return `${this.#setup.run.id}/${row}/${number}`;
  }

  #send(): void {
    if (this.#isHeld) return;
    const keys = this.#unsent;
    this.#unsent = [];
    const requests = keys.flatMap((key) => {
      const handed = this.#handed.get(key);
      return handed === undefined ? [] : [this.#requestOf(key, handed.task)];
    });
    try {
      this.#queue.schedule(requests);
      // One that an earlier process had scheduled may be under way, or have ended.
      for (const { key } of requests) this.#follow(this.#queue.find(key));
    } catch (error) {
      this.#setup.onFailure(error);
    }
  }

  #requestOf(key: string, task: Task): TaskRequest {
    const { run } = this.#setup;
    const { timeoutSeconds, heartbeatSeconds } = run.batch.execution;
    return {
      activity: run.agent.agent_name,
      key,
      input: JSON.stringify(taskOf(run, this.#templates, task)),
      heartbeatSeconds,
      timeoutSeconds: timeoutSeconds + graceSeconds,
    };
  }

  #follow(state: TaskState | undefined): void {
    if (state === undefined) return;
    const handed = this.#handed.get(state.key);
    if (handed === undefined) {
      if (state.end !== undefined) this.#orphans.add(state.key);
      return;
    }
    const { startedAt } = state;
    if (startedAt !== undefined && startedAt !== handed.begunAt) {
      handed.begunAt = startedAt;
      void handed.onBegin(startedAt);
    }
    if (state.end === undefined) return;
    this.#handed.delete(state.key);
    void this.#attemptOf(handed.task, state).then(handed.resolve);
  }

  async #attemptOf({ row, number }: Task, state: TaskState): Promise<Attempt> {
    const { end, worker, startedAt = state.scheduledAt, endedAt = startedAt } = state;
    const known = { row, number, ...(worker === undefined ? {} : { worker }) };
    const answer =
      end === undefined || end.status === "timed_out"
        ? { outcome: end?.limit === "timeout" ? timedOut() : this.#lost(worker) }
        : await readAnswer(end, known, this.#source);
    return toAttempt(known, answer, { startedAt, endedAt });
  }

  #lost(worker = "without a name"): FailedOutcome {
    const { heartbeatSeconds } = this.#setup.run.batch.execution;
    return failedOutcome("WORKER_LOST", `Worker ${worker} gave no sign of life for ${heartbeatSeconds} s`, {
      hint: "It was killed, frozen or cut off. See its log, or raise execution_config.heartbeat_seconds when its machine is only slow.",
    });
  }

  /** Attempts that no worker has taken. */
  #free(): (readonly [key: string, handed: Handed])[] {
    return [...this.#handed].filter(([key]) => {
      const state = this.#queue.find(key);
      return state === undefined || (state.startedAt === undefined && state.end === undefined);
    });
  }

  // They keep their places, and are sent again when the run goes on.
  #withdraw(): void {
    try {
      const keys = this.#free().map(([key]) => key);
      this.#queue.cancel(keys);
      this.#unsent = keys;
    } catch (error) {
      this.#setup.onFailure(error);
    }
  }

  #takeBack(): void {
    try {
      const free = this.#free();
      this.#queue.cancel(free.map(([key]) => key));
      for (const [key, handed] of free) this.#resolveInterrupted(key, handed);
    } catch (error) {
      // What cannot be taken back is waited for no longer; a resumed run finds it.
      for (const [key, handed] of this.#handed) this.#resolveInterrupted(key, handed);
      this.#setup.onFailure(error);
    }
  }

  #resolveInterrupted(key: string, { task: { row, number }, resolve }: Handed): void {
    this.#handed.delete(key);
    const at = this.#services.clock();
    const outcome = failedOutcome("INTERRUPTED", "The run was interrupted");
    resolve({ row, number, startedAt: at, endedAt: at, outcome, steps: [], artifacts: [] });
  }

  #forgetCommitted(): void {
    const keys = this.#committed;
    if (keys.length === 0) return;
    this.#committed = [];
    try {
      this.#queue.forget(keys);
    } catch (error) {
      this.#setup.onFailure(error);
    }
  }
}

function taskOf(run: RunRecord, templates: AttemptTask["templates"], { row, number, input }: Task): AttemptTask {
  const { batch, agent, recordingsUri } = run;
  return {
    run_id: run.id,
    row,
    attempt: number,
    agent,
    templates,
    input,
    timeout_seconds: batch.execution.timeoutSeconds,
    heartbeat_seconds: batch.execution.heartbeatSeconds,
    state_machine_arn: batch.agentStateMachineArn,
    recording: { level: batch.recording.level, prefix: recordingsUri },
  };
}

function timedOut(): FailedOutcome {
  return failedOutcome("TIMEOUT", "Execution timeout", {
    hint: "The worker did not end the attempt by itself: see its log.",
  });
}
