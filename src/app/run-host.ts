import { EventEmitter, on } from "node:events";
import type { Engine, RerunChoice, RunEvent, RunObserver, StartRequest } from "../core/engine.ts";
import { RowcallError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";

/**
 * Goes on with a run, and takes back its pause. When a process has the run, that is all: there it goes on.
 *
 * @returns the run as it ended, or `running`, and nothing was told of it, when its pause alone was taken back
 * @throws RowcallError as `Engine.resume`
 */
export async function resumeRun(engine: Engine, { id, paused }: Run, observer?: RunObserver): Promise<Run> {
  if (paused === true) {
    await engine.adjust(id, { paused: false });
    const run = await engine.describe(id);
    if (run.status === "running") return run;
  }
  return engine.resume(id, observer);
}

/** A run that was begun or gone on with. */
export interface RunHandle {
  /**
   * `here`: the run goes on in this process. `elsewhere`: it was paused, and goes on in the process that has it, which `ended` does not wait
   * for and `stop` does not reach. `finished`: there was nothing to do.
   */
  readonly how: "here" | "elsewhere" | "finished";
  /** As it was when it began, or as it stands. */
  readonly run: Run;
  /**
   * What the run tells from when it is first asked for, until it ends. One who reads slowly gets every event later; one who does not
   * read loses nothing but these.
   */
  readonly events: AsyncIterable<RunEvent>;
  /** The run as it ended; rejects when it broke, which the journal knows too unless it is the journal that broke. */
  readonly ended: Promise<Run>;
  /** Lets rows in flight finish and starts no new one: the run ends as `interrupted` and can be resumed. */
  stop(): void;
}

/** Begins runs and lets them go on after the call that began them. */
export interface RunHost {
  /**
   * Settles as soon as the run's rows go, or it turns out to have ended.
   *
   * @throws RowcallError as `Engine.start` does before a row has run; INTERRUPTED when the host is draining
   */
  start(request: StartRequest): Promise<RunHandle>;
  /** Goes on with a run that is interrupted or stopped, and takes back the pause of one that is paused. */
  resume(id: string): Promise<RunHandle>;
  rerun(id: string, choice?: RerunChoice): Promise<RunHandle>;
  /** Whether a run goes here. */
  isHere(id: string): boolean;
  /** Aborted when the host drains. */
  readonly draining: AbortSignal;
  /**
   * Stops every run and begins no other.
   *
   * @returns the runs that were going, as they ended
   */
  drain(): Promise<readonly Run[]>;
}

/** Who hears of all runs of a host. */
export interface RunListener {
  /** What a run says of itself after its start. */
  onEvent?(run: Run, event: RunEvent): void;
  /** A run broke off. */
  onBroken?(run: Run, error: unknown): void;
}

/** Creates a host over an engine; the engine is closed by who opened it, after the host has drained. */
export function createRunHost(engine: Engine, listener: RunListener = {}): RunHost {
  const drain = new AbortController();
  const hosted = new Set<HostedRun>();
  const begin = async (work: (observer: RunObserver) => Promise<Run>): Promise<RunHandle> => {
    if (drain.signal.aborted) {
      throw new RowcallError("INTERRUPTED", "Rowcall is shutting down: it starts no run", {
        hint: "Start it again; what is done is kept.",
      });
    }
    const begun = Promise.withResolvers<Run>();
    const stop = new AbortController();
    const feed = createFeed();
    let started: Run | undefined;
    const onEvent = (event: RunEvent): void => {
      if (event.type === "started") begun.resolve((started = event.run));
      else if (started !== undefined) listener.onEvent?.(started, event);
      feed.tell(event);
    };
    const ended = work({ drain: AbortSignal.any([drain.signal, stop.signal]), onEvent });
    const left = (): void => {
      hosted.delete(own);
      feed.end();
    };
    const settled = ended.then(
      (run) => {
        left();
        begun.resolve(run);
        return run;
      },
      (error: unknown) => {
        left();
        if (started === undefined) begun.reject(error);
        else listener.onBroken?.(started, error);
        return undefined;
      },
    );
    const handle = { events: feed.events, ended, stop: () => stop.abort() };
    const own: HostedRun = { handle, settled, isOf: (id) => started?.id === id };
    hosted.add(own);
    const { id } = await begun.promise;
    // It is told of before it counts as running.
    const run = await engine.describe(id);
    if (started !== undefined) return { how: "here", run, ...handle };
    // The process that goes on with a run which was paused may be this one.
    const other = hosted.values().find((one) => one.isOf(id));
    if (other !== undefined) return { how: "here", run, ...other.handle };
    return { how: run.status === "running" ? "elsewhere" : "finished", run, ...handle };
  };
  return {
    start: (request) => begin((observer) => engine.start(request, observer)),
    resume: (id) => begin(async (observer) => resumeRun(engine, await engine.describe(id), observer)),
    rerun: (id, choice) => begin((observer) => engine.rerun(id, choice, observer)),
    isHere: (id) => hosted.values().some((one) => one.isOf(id)),
    draining: drain.signal,
    drain: async () => {
      drain.abort();
      const runs = await Promise.all(hosted.values().map(({ settled }) => settled));
      return runs.filter((run) => run !== undefined);
    },
  };
}

interface HostedRun {
  readonly handle: Pick<RunHandle, "events" | "ended" | "stop">;
  readonly settled: Promise<Run | undefined>;
  isOf(id: string): boolean;
}

interface RunFeed {
  readonly events: AsyncIterable<RunEvent>;
  tell(event: RunEvent): void;
  end(): void;
}

// Nothing is kept for readers that there are not.
function createFeed(): RunFeed {
  const emitter = new EventEmitter<{ event: [RunEvent]; end: [] }>().setMaxListeners(0);
  let hasEnded = false;
  return {
    events: {
      [Symbol.asyncIterator]: () => eachFirst(hasEnded ? [] : on(emitter, "event", { close: ["end"] })),
    },
    tell: (event) => void emitter.emit("event", event),
    end: () => {
      hasEnded = true;
      emitter.emit("end");
    },
  };
}

async function* eachFirst(told: AsyncIterable<readonly unknown[]> | readonly []): AsyncGenerator<RunEvent> {
  for await (const [event] of told) yield event as RunEvent;
}
