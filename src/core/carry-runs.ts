import type { RunEvent, RunObserver } from "./engine.ts";
import { RowcallError } from "./errors.ts";
import type { Run } from "./run.ts";

/** Runs that go on in this process after the call that began them. */
export interface CarriedRuns {
  /**
   * Begins work on a run.
   *
   * @returns the run, as soon as its rows go or it turns out to have ended
   * @throws as the work does before that; INTERRUPTED when runs are drained already
   */
  begin(work: (observer: RunObserver) => Promise<Run>): Promise<Run>;
  /** Whether a run goes here. */
  isHere(id: string): boolean;
  /** Aborted when runs are drained. */
  readonly draining: AbortSignal;
  /**
   * Lets rows in flight finish and starts no new one.
   *
   * @returns the runs that were going, as they ended
   */
  drain(): Promise<readonly Run[]>;
}

/** Who hears of runs that have begun. */
export interface CarriedRunsListener {
  /** What a run says of itself after its start. */
  onEvent(run: Run, event: RunEvent): void;
  /** A run broke off; its reason is in the journal too, unless it is the journal that broke. */
  onBroken(run: Run, error: unknown): void;
}

/** Carries no run yet. */
export function carryRuns(listener: CarriedRunsListener): CarriedRuns {
  const drain = new AbortController();
  const going = new Map<{ run?: Run }, Promise<Run | undefined>>();
  return {
    draining: drain.signal,
    isHere: (id) => going.keys().some(({ run }) => run?.id === id),
    begin: async (work) => {
      if (drain.signal.aborted) {
        throw new RowcallError("INTERRUPTED", "This server is ending: it begins nothing more", {
          hint: "Start the server again; what is done is kept.",
        });
      }
      const begun = Promise.withResolvers<Run>();
      const carried: { run?: Run } = {};
      const onEvent = (event: RunEvent): void => {
        if (event.type === "started") {
          carried.run = event.run;
          begun.resolve(event.run);
        } else if (carried.run !== undefined) listener.onEvent(carried.run, event);
      };
      const ended = work({ drain: drain.signal, onEvent }).then(
        (run) => {
          begun.resolve(run);
          return run;
        },
        (error: unknown) => {
          if (carried.run === undefined) begun.reject(error);
          else listener.onBroken(carried.run, error);
          return undefined;
        },
      );
      going.set(carried, ended);
      void ended.then(() => going.delete(carried));
      return begun.promise;
    },
    drain: async () => {
      drain.abort();
      const runs = await Promise.all(going.values());
      return runs.filter((run) => run !== undefined);
    },
  };
}
