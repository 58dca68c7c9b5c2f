import type { Engine, RerunChoice, RunEvent, RunObserver, StartRequest } from "../core/engine.ts";
import { messageOf, RowcallError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";

/**
 * Runs that go on in the server's process. When it ends they drain and are `interrupted`; they do not go on by themselves when
 * it starts again, for nobody may be there to see what they do: somebody resumes them.
 */
export interface Runner {
  /** Settles as soon as the run has begun; what is wrong before a row has run is thrown. */
  start(request: StartRequest): Promise<Run>;
  resume(id: string): Promise<Run>;
  rerun(id: string, choice: RerunChoice): Promise<Run>;
  /** Whether the run goes on in this process. */
  isHere(id: string): boolean;
  /** Lets rows in flight finish, and ends. */
  close(): Promise<void>;
}

/**
 * Creates the runner of a server.
 *
 * @param tell - hears warnings and notices of the runs, and why one broke
 */
export function createRunner(engine: Engine, tell: (run: string, event: RunEvent) => void): Runner {
  const going = new Map<string, Promise<unknown>>();
  const drain = new AbortController();

  const launch = (work: (observer: RunObserver) => Promise<Run>): Promise<Run> => {
    if (drain.signal.aborted) {
      throw new RowcallError("INTERRUPTED", "The server is ending", { hint: "Ask again when it has started anew." });
    }
    const begun = Promise.withResolvers<Run>();
    let id: string | undefined;
    const onEvent = (event: RunEvent): void => {
      if (event.type === "started") {
        id = event.run.id;
        going.set(id, ended);
        begun.resolve(event.run);
      } else if (id !== undefined && (event.type === "warning" || event.type === "notice")) tell(id, event);
    };
    const ended: Promise<unknown> = work({ drain: drain.signal, onEvent }).then(
      (run) => begun.resolve(run),
      (error: unknown) => {
        begun.reject(error);
        // The journal has it too, unless it is the journal that broke.
        if (id !== undefined) tell(id, { type: "warning", message: `The run broke: ${messageOf(error)}` });
      },
    );
    void ended.finally(() => id !== undefined && going.get(id) === ended && going.delete(id));
    // As it stands now: it is told of before it counts as running.
    return begun.promise.then(({ id: begunId }) => engine.describe(begunId));
  };

  return {
    start: async (request) => launch((observer) => engine.start(request, observer)),
    resume: async (id) => launch((observer) => engine.resume(id, observer)),
    rerun: async (id, choice) => launch((observer) => engine.rerun(id, choice, observer)),
    isHere: (id) => going.has(id),
    close: async () => {
      drain.abort();
      await Promise.all(going.values());
    },
  };
}
