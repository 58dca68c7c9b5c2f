import { Worker } from "node:worker_threads";
import { packAttempts, type EndedAttempt, type WriterAnswer } from "./attempt-group.ts";

/** Writes a run's attempts, many in one transaction. */
export interface AttemptLog {
  started(row: number, number: number, at: number): void;
  /** @returns undefined, or, while the disk is behind, a promise to wait for before more is started */
  ended(entry: EndedAttempt): Promise<void> | undefined;
  /** Settles when everything is committed, or nothing can be any more. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** Who hears from a log. */
export interface LogListener {
  /** Called after each commit with what is durable now; only then does an attempt count as ended. */
  onCommit(entries: readonly EndedAttempt[]): void;
  /** Called when a commit fails (disk full): nothing more will be written. */
  onFailure(error: Error): void;
  /** Attempts under way at this moment, for other processes to read. */
  underWay(): number;
}

const groupSize = 512;
const groupDelayMs = 4;

/**
 * Opens the log of one run; a thread of its own writes it. Entries are committed after a few milliseconds or some hundreds,
 * whichever comes first; an attempt that starts and ends within one group is written once.
 *
 * @param path - the journal's file
 * @param run - the journal's number of the run
 */
export function openAttemptLog(path: string, run: number, listener: LogListener): AttemptLog {
  // The compiled package has the same file with the other ending.
  const writer = new Worker(new URL(`./attempt-writer${import.meta.url.slice(-3)}`, import.meta.url), {
    workerData: { path },
    execArgv: [],
    // Texts pass through: a small young generation holds them, and V8 would let it grow to 100 MB.
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
  let started = new Map<number, { readonly number: number; readonly at: number }>();
  let ended: EndedAttempt[] = [];
  let underWrite: readonly EndedAttempt[] | undefined;
  let answer = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;
  let isDue = false;
  let broken = false;

  const isEmpty = (): boolean => started.size === 0 && ended.length === 0;
  const isSettled = (): boolean => broken || (underWrite === undefined && isEmpty());
  const send = (): void => {
    clearTimeout(timer);
    timer = undefined;
    isDue = false;
    const group = packAttempts(run, started, ended, listener.underWay());
    underWrite = ended;
    started = new Map();
    ended = [];
    writer.postMessage(group, [group.numbers.buffer]);
  };
  const gathered = (): void => {
    if (broken || isEmpty()) return;
    if (underWrite === undefined && (isDue || ended.length >= groupSize)) send();
    else timer ??= setTimeout(onDue, groupDelayMs);
  };
  const onDue = (): void => {
    isDue = true;
    gathered();
  };
  const onAnswer = (failure: Error | undefined): void => {
    const committed = underWrite ?? [];
    underWrite = undefined;
    if (failure === undefined) listener.onCommit(committed);
    else if (!broken) {
      broken = true;
      listener.onFailure(failure);
    }
    gathered();
    answer.resolve();
    answer = Promise.withResolvers();
  };
  writer.on("message", ({ failure }: WriterAnswer) => onAnswer(failure));
  writer.on("error", (error) => onAnswer(error as Error));

  return {
    started: (row, number, at) => {
      started.set(row, { number, at });
      gathered();
    },
    ended: (entry) => {
      started.delete(entry.attempt.row);
      ended.push(entry);
      gathered();
      return ended.length < 2 * groupSize || broken ? undefined : answer.promise;
    },
    drain: async () => {
      while (!isSettled()) {
        if (underWrite === undefined) send();
        await answer.promise;
      }
    },
    close: async () => {
      clearTimeout(timer);
      await writer.terminate();
    },
  };
}
