/** Thrown when something took longer than its limit. */
export class LateError extends Error {
  override readonly name = "LateError";

  constructor(limitMs: number) {
    super(`It took longer than ${limitMs / 1000} s`);
  }
}

/** Limits are counted in steps of this length. */
const stepMs = 1000;

/**
 * Settles as the work does, and no later than a limit.
 *
 * The limit counts the time in which this process runs: one that was stopped, or slept with its machine, gives the other side its
 * whole time again.
 *
 * @throws LateError when the limit is over first; how the work ends is then of no interest
 */
export function within<T>(work: PromiseLike<T>, limitMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const step = Math.min(limitMs, stepMs);
    let left = Math.ceil(limitMs / step);
    const timer = setInterval(() => {
      left -= 1;
      if (left > 0) return;
      clearInterval(timer);
      reject(new LateError(limitMs));
    }, step);
    const stop = (): void => clearInterval(timer);
    void work.then(
      (value) => {
        stop();
        resolve(value);
      },
      (thrown: Error) => {
        stop();
        reject(thrown);
      },
    );
  });
}

/**
 * Settles as the work does, or rejects with the reason of the first signal that is aborted; how the work ends is then of no
 * interest.
 */
export function unlessAborted<T>(work: PromiseLike<T>, ...signals: readonly AbortSignal[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = ({ target }: Event): void => give(() => reject((target as AbortSignal).reason as Error));
    const give = (settle: () => void): void => {
      for (const signal of signals) signal.removeEventListener("abort", onAbort);
      settle();
    };
    for (const signal of signals) signal.addEventListener("abort", onAbort, { once: true });
    void work.then(
      (value) => give(() => resolve(value)),
      (thrown: Error) => give(() => reject(thrown)),
    );
    const aborted = signals.find((signal) => signal.aborted);
    if (aborted !== undefined) give(() => reject(aborted.reason as Error));
  });
}
