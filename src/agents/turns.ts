import { unlessAborted } from "./within.ts";

/** Places for so many at once, given out in the order in which they were asked for. */
export interface Turns {
  /**
   * Waits for a place; the returned function gives it back.
   *
   * @throws the reason of a signal that is aborted first
   */
  take(...signals: readonly AbortSignal[]): Promise<() => void>;
  /** Has so many places, if it had fewer before. */
  widen(limit: number): void;
  /** Resolves when nobody has a place any more. */
  allDone(): Promise<void>;
}

/** Opens places for so many at once. */
export function openTurns(atFirst: number): Turns {
  let limit = atFirst;
  let taken = 0;
  const waiting = new Set<() => void>();
  const idle: (() => void)[] = [];
  const pass = (): void => {
    for (const next of waiting) {
      if (taken >= limit) return;
      waiting.delete(next);
      taken += 1;
      next();
    }
    if (taken === 0) for (const resolve of idle.splice(0)) resolve();
  };
  const giveBack = (): void => {
    taken -= 1;
    pass();
  };
  return {
    async take(...signals) {
      for (const signal of signals) signal.throwIfAborted();
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.add(resolve);
      pass();
      try {
        await unlessAborted(promise, ...signals);
      } catch (thrown) {
        // Its turn may have come in the meantime; it is another's then.
        if (!waiting.delete(resolve)) giveBack();
        throw thrown;
      }
      return giveBack;
    },
    widen(most) {
      limit = Math.max(limit, most);
      pass();
    },
    allDone: () => (taken === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))),
  };
}
