import type { TaskSource } from "./task-source.ts";

/** Signs of life for one task. */
export interface Heartbeats {
  /** Aborted when the task turns out to have ended without this worker. */
  readonly lost: AbortSignal;
  stop(): void;
}

/**
 * Gives signs of life for a task, three in the time that one is due, until stopped. They come from the loop that does the work, so
 * a worker that hangs falls silent.
 *
 * @param seconds - longest silence that is allowed; undefined: none are asked for
 */
export function startHeartbeats(tasks: TaskSource, token: string, seconds: number | undefined): Heartbeats {
  const lost = new AbortController();
  let isAsking = false;
  const beat = async (): Promise<void> => {
    if (isAsking || lost.signal.aborted) return;
    isAsking = true;
    try {
      if ((await tasks.heartbeat(token)) !== "accepted") lost.abort();
    } catch {
      // The next one may get through; if none does, the task is somebody else's.
    } finally {
      isAsking = false;
    }
  };
  const timer = seconds === undefined ? undefined : setInterval(() => void beat(), (seconds * 1000) / 3);
  return { lost: lost.signal, stop: () => clearInterval(timer) };
}
