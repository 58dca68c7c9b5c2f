import { Worker } from "node:worker_threads";
import {
  packAttempts,
  type AttemptGroup,
  type EndedAttempt,
  type StartedAttempt,
  type WriterAnswer,
  type WriterOrder,
} from "./attempt-group.ts";
import { noteAnswerLength } from "./large-answers.ts";
import { roughSize } from "./rough-size.ts";

/** Writes a run's attempts, many in one transaction. */
export interface AttemptLog {
  /** Settles when entries can be written, or nothing can be: what ends before that waits in memory. */
  readonly ready: Promise<void>;
  started(row: number, attempt: StartedAttempt): void;
  /**
   * @param isCall - whether the agent was called, which a kill would make it be again
   * @returns undefined, or, while enough waits for the disk, a promise to wait for before more is started
   */
  ended(entry: EndedAttempt, isCall?: boolean): Promise<void> | undefined;
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
  /** How many calls may wait for their commit while more are started; asked at each end. */
  mostUncommitted(): number;
}

const groupSize = 512;
const groupBytes = 2 * 1024 * 1024;
const groupDelayMs = 4;
const mostBytes = 4 * 1024 * 1024;
// A sync takes milliseconds. When rows end faster, most groups are not synced, so that this takes a fifth of the time at most.
const syncShare = 4;
const longestUnsyncedMs = 100;
// Longer texts cross to the writer as bytes, which move there; strings are copied twice.
const longText = 32 * 1024;

/** An ended attempt on its way to the disk. */
interface Waiting {
  readonly entry: EndedAttempt;
  readonly bytes: number;
  readonly isCall: boolean;
  /** Gives back the place that the attempt keeps. */
  release?: () => void;
}

/**
 * Opens the log of one run; a thread of its own writes it. Entries are committed after a few milliseconds, or as soon as as many or as
 * large ones wait as may; an attempt that starts and ends within one group is written once.
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
  const ready = Promise.withResolvers<void>();
  let started = new Map<number, StartedAttempt>();
  let ended: Waiting[] = [];
  let underWrite: { readonly entries: readonly Waiting[]; readonly isSynced: boolean; readonly at: number } | undefined;
  // Committed, so that they survive the process, but not yet synced.
  let unsynced: Waiting[] = [];
  let nextSyncAt = 0;
  // Calls that are not committed, bytes that are not synced.
  let calls = 0;
  let bytes = 0;
  let answer = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;
  let isDue = false;
  let broken = false;

  const isEmpty = (): boolean => started.size === 0 && ended.length === 0;
  const isSettled = (): boolean => broken || (underWrite === undefined && isEmpty() && unsynced.length === 0);
  const isFull = (): boolean =>
    calls > listener.mostUncommitted() || bytes > mostBytes || ended.length >= 2 * groupSize;
  const send = (mustSync = false): void => {
    clearTimeout(timer);
    timer = undefined;
    isDue = false;
    const entries = ended.splice(0, groupLength(ended));
    const at = performance.now();
    const isSynced = mustSync || at >= nextSyncAt || bytes > mostBytes;
    underWrite = { entries, isSynced, at };
    const group = packAttempts(
      run,
      started,
      entries.map(({ entry }) => entry),
      listener.underWay(),
    );
    started = new Map();
    const { message, transfer } = toMessage(group);
    writer.postMessage({ group: message, isSynced } satisfies WriterOrder, transfer);
  };
  const gathered = (): void => {
    if (broken || underWrite !== undefined || (isEmpty() && unsynced.length === 0)) return;
    if (!isEmpty() && (isDue || isFull() || ended.length >= groupSize)) send();
    else timer ??= setTimeout(onDue, isEmpty() ? Math.max(1, nextSyncAt - performance.now()) : groupDelayMs);
  };
  const onDue = (): void => {
    timer = undefined;
    isDue = true;
    if (isEmpty() && unsynced.length > 0 && underWrite === undefined && !broken) send(true);
    else gathered();
  };
  const onCommitted = ({ entries, isSynced, at }: NonNullable<typeof underWrite>): void => {
    for (const waiting of entries) {
      if (waiting.isCall) calls -= 1;
      unsynced.push(waiting);
    }
    if (!isSynced) return;
    const now = performance.now();
    nextSyncAt = now + Math.min(syncShare * (now - at), longestUnsyncedMs);
    const durable = unsynced;
    unsynced = [];
    for (const waiting of durable) bytes -= waiting.bytes;
    listener.onCommit(durable.map(({ entry }) => entry));
  };
  const onAnswer = (failure: Error | undefined): void => {
    const written = underWrite;
    underWrite = undefined;
    if (failure === undefined && written !== undefined) onCommitted(written);
    else if (failure !== undefined && !broken) {
      broken = true;
      listener.onFailure(failure);
    }
    for (const { release } of [...(written?.entries ?? []), ...(broken ? ended : [])]) release?.();
    gathered();
    answer.resolve();
    answer = Promise.withResolvers();
  };
  writer.on("message", ({ isReady, failure }: WriterAnswer) =>
    isReady === true ? ready.resolve() : onAnswer(failure),
  );
  writer.on("error", (error) => {
    onAnswer(error as Error);
    ready.resolve();
  });

  return {
    ready: ready.promise,
    started: (row, attempt) => {
      started.set(row, attempt);
      gathered();
    },
    ended: (entry, isCall = true) => {
      started.delete(entry.attempt.row);
      const waiting: Waiting = { entry, bytes: sizeOf(entry), isCall };
      noteAnswerLength(waiting.bytes);
      ended.push(waiting);
      bytes += waiting.bytes;
      if (isCall) calls += 1;
      // Before it is sent: what fills the log up is part of it.
      const room = isFull() && !broken ? new Promise<void>((release) => (waiting.release = release)) : undefined;
      gathered();
      return room;
    },
    drain: async () => {
      while (!isSettled()) {
        if (underWrite === undefined) send(true);
        await answer.promise;
      }
    },
    close: async () => {
      clearTimeout(timer);
      await writer.terminate();
    },
  };
}

/** How many of these are committed together: one at least, however large it is. */
function groupLength(waiting: readonly Waiting[]): number {
  let length = 0;
  for (let bytes = 0; length < waiting.length && length < groupSize && bytes < groupBytes; length += 1)
    bytes += waiting[length]?.bytes ?? 0;
  return length;
}

function sizeOf({ attempt: { outcome, steps } }: EndedAttempt): number {
  let size = outcome.status === "succeeded" ? roughSize(outcome.output) : outcome.message.length;
  for (const { name, detail = "" } of steps) size += name.length + detail.length;
  return size;
}

function toMessage(group: AttemptGroup): { readonly message: AttemptGroup; readonly transfer: ArrayBuffer[] } {
  const transfer = [group.numbers.buffer];
  const texts = group.texts.map((text) => {
    if (typeof text !== "string" || text.length <= longText) return text;
    const encoded = new TextEncoder().encode(text);
    transfer.push(encoded.buffer);
    return encoded;
  });
  return { message: { ...group, texts }, transfer };
}
