import type { Timing } from "./channel-options.ts";

/**
 * Does work that is told to stop when its time is over.
 *
 * @param work - its signal is aborted then, and only then
 */
export async function withTimeLimit<T>(
  { wait }: Timing,
  milliseconds: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const ended = new AbortController();
  const over = wait(milliseconds, ended.signal).then(
    () => limit.abort(),
    () => {},
  );
  try {
    return await work(limit.signal);
  } finally {
    ended.abort();
    await over;
  }
}
