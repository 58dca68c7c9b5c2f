import type { Engine, RerunChoice, RunEvent, RunObserver, StartRequest } from "../core/engine.ts";
import { RowcallError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";

/** A run that has begun, and goes on in this process. */
export interface RunHandle {
  /** As it was when it began; as it ended, when no row was left to run. */
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
  const going = new Map<RunFeed, Promise<Run | undefined>>();
  const begin = async (work: (observer: RunObserver) => Promise<Run>): Promise<RunHandle> => {
    if (drain.signal.aborted) {
      throw new RowcallError("INTERRUPTED", "Rowcall is shutting down: it starts no run", {
        hint: "Start it again; what is done is kept.",
      });
    }
    const begun = Promise.withResolvers<Run>();
    const stop = new AbortController();
    const feed = createFeed();
    const onEvent = (event: RunEvent): void => {
      if (event.type === "started") begun.resolve((feed.run = event.run));
      else if (feed.run !== undefined) listener.onEvent?.(feed.run, event);
      feed.tell(event);
    };
    const ended = work({ drain: AbortSignal.any([drain.signal, stop.signal]), onEvent });
    const left = (): void => {
      going.delete(feed);
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
        if (feed.run === undefined) begun.reject(error);
        else listener.onBroken?.(feed.run, error);
        return undefined;
      },
    );
    going.set(feed, settled);
    const { id } = await begun.promise;
    // It is told of before it counts as running.
    return { run: await engine.describe(id), events: feed.events, ended, stop: () => stop.abort() };
  };
  return {
    start: (request) => begin((observer) => engine.start(request, observer)),
    resume: (id) => begin((observer) => engine.resume(id, observer)),
    rerun: (id, choice) => begin((observer) => engine.rerun(id, choice, observer)),
    isHere: (id) => going.keys().some(({ run }) => run?.id === id),
    draining: drain.signal,
    drain: async () => {
      drain.abort();
      const runs = await Promise.all(going.values());
      return runs.filter((run) => run !== undefined);
    },
  };
}

interface RunFeed {
  run?: Run;
  readonly events: AsyncIterable<RunEvent>;
  tell(event: RunEvent): void;
  end(): void;
}

// Nothing is kept for readers that there are not.
function createFeed(): RunFeed {
  const readers = new Set<ReadableStreamDefaultController<RunEvent>>();
  let hasEnded = false;
  return {
    events: {
      [Symbol.asyncIterator]: () => {
        let reader: ReadableStreamDefaultController<RunEvent> | undefined;
        const stream = new ReadableStream<RunEvent>({
          start: (controller) => {
            reader = controller;
            if (hasEnded) controller.close();
            else readers.add(controller);
          },
          cancel: () => void (reader && readers.delete(reader)),
        });
        return stream[Symbol.asyncIterator]();
      },
    },
    tell: (event) => readers.forEach((reader) => reader.enqueue(event)),
    end: () => {
      hasEnded = true;
      readers.forEach((reader) => reader.close());
      readers.clear();
    },
  };
}
