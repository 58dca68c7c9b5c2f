import type { TakenTask } from "../../core/activity.ts";
import { RowcallError } from "../../core/errors.ts";
import type { Services } from "../../core/services.ts";
import { firstWarnings } from "../../attempt/first-warnings.ts";
import { createBackoff, pause, type Backoff, type Taking, type TaskSource, type WorkerEvent } from "./task-source.ts";
import { doTask, type TaskSetup } from "./do-task.ts";
import { shareAgents } from "./shared-agents.ts";

/** A worker of one activity. */
export interface WorkerOptions {
  readonly tasks: TaskSource;
  readonly services: Services;
  /** What the run calls it. */
  readonly name: string;
  /** Attempts in flight at once. */
  readonly concurrency: number;
  /** Whether the run reads files of this machine. @default false */
  readonly sharesFiles?: boolean;
  /** Ends after so many tasks. @default never */
  readonly maxTasks?: number;
  /** Ends when it has had nothing to do for so long, in milliseconds. @default never */
  readonly idleExitMs?: number;
  /** Aborted to drain: no more tasks are asked for, what is under way ends and is answered. */
  readonly drain: AbortSignal;
  /** Waits after failures. @default from half a second to half a minute */
  readonly backoff?: Backoff;
  onEvent(event: WorkerEvent): void;
}

// Several ask at once, so that the next row is there when one ends; more would only ask in vain.
const maxAsking = 4;
// A run that makes the activity should not wait for long.
const longestMissMs = 5000;

/**
 * Works until it is drained, has done enough, or has nothing to do for long.
 *
 * @throws RowcallError when working on is of no use: the other side refuses this worker, or an agent cannot be opened here
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const worker = new Worker(options);
  await worker.run();
}

class Worker {
  readonly #options: WorkerOptions;
  readonly #setup: TaskSetup;
  readonly #stop = new AbortController();
  readonly #done = Promise.withResolvers<void>();
  #asking = 0;
  #underWay = 0;
  #taken = 0;
  /** Askings that failed since one got through. */
  #failures = 0;
  #hasToldOfFiles = false;
  #failure: Error | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    const { tasks, services, name, concurrency, onEvent, backoff = createBackoff(services.random) } = options;
    const noteLocalFile = (uri: string): void => this.#noteLocalFile(uri);
    const warn = firstWarnings((message, hint) => onEvent({ type: "warning", message, hint }));
    const agents = shareAgents(services, concurrency, warn);
    this.#setup = { tasks, services, agents, name, backoff, noteLocalFile, warn, onEvent };
  }

  async run(): Promise<void> {
    const { concurrency, drain, onEvent } = this.#options;
    const onDrain = (): void => {
      onEvent({ type: "draining", underWay: this.#underWay });
      this.#end();
    };
    drain.addEventListener("abort", onDrain, { once: true });
    onEvent({ type: "started", concurrency });
    if (drain.aborted) onDrain();
    this.#pump();
    try {
      await this.#done.promise;
    } finally {
      drain.removeEventListener("abort", onDrain);
      clearTimeout(this.#idle);
      await this.#setup.agents.close();
    }
    onEvent({ type: "stopped", tasks: this.#taken });
    if (this.#failure !== undefined) throw this.#failure;
  }

  #end(failure?: Error): void {
    this.#failure ??= failure;
    this.#stop.abort();
    this.#pump();
  }

  #pump(): void {
    const { concurrency, maxTasks = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#taken >= maxTasks) this.#stop.abort();
    const width = this.#failures === 0 ? maxAsking : 1;
    while (
      !this.#stop.signal.aborted &&
      this.#asking < width &&
      this.#asking + this.#underWay < concurrency &&
      this.#asking + this.#taken < maxTasks
    ) {
      this.#asking += 1;
      void this.#ask();
    }
    this.#watchIdleness();
    if (this.#stop.signal.aborted && this.#asking + this.#underWay === 0) this.#done.resolve();
  }

  #watchIdleness(): void {
    const { idleExitMs } = this.#options;
    if (idleExitMs === undefined || this.#stop.signal.aborted) return;
    if (this.#underWay > 0) {
      clearTimeout(this.#idle);
      this.#idle = undefined;
    } else this.#idle ??= setTimeout(() => this.#end(), idleExitMs);
  }

  async #ask(): Promise<void> {
    const signal = this.#stop.signal;
    try {
      await this.#answer(await this.#setup.tasks.take(signal));
    } catch (thrown) {
      if (thrown instanceof RowcallError && thrown.retryable) await this.#wait(thrown.message, thrown.hint);
      else if (!signal.aborted) this.#end(asError(thrown));
    } finally {
      this.#asking -= 1;
      this.#pump();
    }
  }

  async #answer(taking: Taking): Promise<void> {
    if (taking.status === "no_activity") {
      const { others } = taking;
      const known = others.length === 0 ? "" : ` There are: ${others.join(", ")}.`;
      const hint = `A run makes its own when it begins.${known}`;
      return this.#wait("The activity is not there yet", hint, longestMissMs);
    }
    if (this.#failures > 0) this.#options.onEvent({ type: "reached" });
    this.#failures = 0;
    if (taking.status === "task") this.#begin(taking.task);
  }

  async #wait(message: string, hint: string | undefined, longestMs = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#failures += 1;
    if (this.#failures === 1)
      this.#options.onEvent({ type: "waiting", message, ...(hint === undefined ? {} : { hint }) });
    await pause(Math.min(this.#setup.backoff(this.#failures), longestMs), this.#stop.signal);
  }

  #begin(task: TakenTask): void {
    this.#taken += 1;
    this.#underWay += 1;
    void doTask(this.#setup, task)
      .catch((thrown: unknown) => this.#end(asError(thrown)))
      .finally(() => {
        this.#underWay -= 1;
        this.#pump();
      });
  }

  #noteLocalFile(uri: string): void {
    if (this.#options.sharesFiles === true || this.#hasToldOfFiles) return;
    this.#hasToldOfFiles = true;
    this.#options.onEvent({
      type: "warning",
      message: `Recordings are kept on this machine, which other machines may not reach: ${uri}`,
      hint: "Give the batch a recording.prefix that all machines reach, such as s3://BUCKET/recordings/.",
    });
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
