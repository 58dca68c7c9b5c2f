import { carryRuns } from "../core/carry-runs.ts";
import type { Engine, RerunChoice, RunEvent, RunObserver, StartRequest } from "../core/engine.ts";
import { messageOf } from "../core/errors.ts";
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
  const runs = carryRuns({
    onEvent: ({ id }, event) => tell(id, event),
    onBroken: ({ id }, error) => tell(id, { type: "warning", message: `The run broke: ${messageOf(error)}` }),
  });
  const launch = async (work: (observer: RunObserver) => Promise<Run>): Promise<Run> => {
    const { id } = await runs.begin(work);
    // As it stands now: it is told of before it counts as running.
    return engine.describe(id);
  };
  return {
    start: (request) => launch((observer) => engine.start(request, observer)),
    resume: (id) => launch((observer) => engine.resume(id, observer)),
    rerun: (id, choice) => launch((observer) => engine.rerun(id, choice, observer)),
    isHere: runs.isHere,
    close: async () => void (await runs.drain()),
  };
}
