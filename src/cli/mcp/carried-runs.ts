import type { RunObserver } from "../../core/engine.ts";
import { RowcallError } from "../../core/errors.ts";
import type { Run } from "../../core/run.ts";

/** Runs that go on in this process after the call that began them. */
export interface CarriedRuns {
  /**
   * Begins work on a run.
   *
   * @returns the run, as soon as its rows go or it turns out to have ended
   * @throws as the work does before that; INTERRUPTED when runs are drained already
   */
  begin(work: (observer: RunObserver) => Promise<Run>): Promise<Run>;
  /** What was warned of, newest last. */
  warningsOf(id: string): readonly string[];
  /** Aborted when runs are drained. */
  readonly draining: AbortSignal;
  /**
   * Lets rows in flight finish and starts no new one.
   *
   * @returns the runs that were going, as they ended
   */
  drain(): Promise<readonly Run[]>;
}

const warningsKept = 5;

/**
 * Carries no run yet.
 *
 * @param onBroken - told of a run that broke off after it had begun; its reason is in the journal too
 */
export function createCarriedRuns(onBroken: (run: Run, error: unknown) => void): CarriedRuns {
  const drain = new AbortController();
  const going = new Set<Promise<Run | undefined>>();
  const warnings = new Map<string, readonly string[]>();
  return {
    draining: drain.signal,
    warningsOf: (id) => warnings.get(id) ?? [],
    begin: async (work) => {
      if (drain.signal.aborted) {
        throw new RowcallError("INTERRUPTED", "This server is ending: it begins nothing more", {
          hint: "Start the server again; what is done is kept.",
        });
      }
      const begun = Promise.withResolvers<Run>();
      let known: Run | undefined;
      const observer: RunObserver = {
        drain: drain.signal,
        onEvent: (event) => {
          if (event.type === "started") {
            known = event.run;
            begun.resolve(known);
          }
          if (event.type !== "warning" || known === undefined) return;
          warnings.set(known.id, [...(warnings.get(known.id) ?? []), event.message].slice(-warningsKept));
        },
      };
      const carried = work(observer).then(
        (run) => {
          begun.resolve(run);
          return run;
        },
        (error: unknown) => {
          if (known === undefined) begun.reject(error);
          else onBroken(known, error);
          return undefined;
        },
      );
      going.add(carried);
      void carried.then(() => going.delete(carried));
      return begun.promise;
    },
    drain: async () => {
      drain.abort();
      const ended = await Promise.all(going);
      return ended.filter((run) => run !== undefined);
    },
  };
}
