import type { Engine, RunEvent } from "../core/engine.ts";
import { RowcallError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { viewRun, type RunView } from "./run-view.ts";
import type { Clocks } from "../core/services.ts";

/** Something that watchers are told. */
export interface LiveEvent {
  /** Grows with each event; belongs to one start of the server. */
  readonly id: string;
  /**
   * `snapshot`: all runs that are told about, to begin with; `run`: one run as it is now; `message`: something that a run in
   * this process said.
   */
  readonly type: "snapshot" | "run" | "message";
  readonly data:
    | { readonly runs: readonly RunView[] }
    | { readonly run: RunView }
    | { readonly id: string; readonly message: string; readonly hint?: string };
}

/** Live state of runs, of this and other processes. */
export interface RunWatch {
  /**
   * Events about one run or about all, until the signal aborts. A watcher that was there before gives the id of the last event it
   * has seen and continues after it; when that is too long ago, or belongs to an earlier start, it begins with a snapshot again.
   */
  subscribe(options: {
    readonly run?: string | undefined;
    readonly lastEventId?: string | undefined;
    readonly signal: AbortSignal;
  }): AsyncIterable<LiveEvent>;
  /** A run with its recent rate, where it was watched. */
  view(run: Run): RunView;
  /** Passes on what a run of this process says. */
  tell(run: string, event: RunEvent): void;
  /** How many are watching. */
  readonly watchers: number;
  close(): void;
}

// Five times a second is as much as an eye follows; nothing is read while nobody watches.
const lookMs = 200;
const listMs = 1000;
const kept = 500;
const newestRuns = 100;
const rateMs = 15_000;

interface Kept extends LiveEvent {
  readonly number: number;
  readonly run?: string;
}

interface Known {
  readonly text: string;
  readonly run: Run;
  /** Final rows at moments of the last seconds, oldest first. */
  readonly samples: readonly { readonly at: number; readonly final: number }[];
}

/**
 * Watches the runs of an engine by reading their status, so that runs of other processes are seen too and a run in this one
 * pays nothing for it: what is read is one record per running run, however many rows it has and however many watch.
 */
export function createRunWatch(engine: Engine, { clock, monotonic }: Clocks): RunWatch {
  const epoch = clock().toString(36);
  const wakes = new Set<() => void>();
  const known = new Map<string, Known>();
  let events: Kept[] = [];
  let last = 0;
  let listedAt = Number.NEGATIVE_INFINITY;
  const watched: (string | undefined)[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;
  let isClosed = false;

  const rateOf = (id: string): number | undefined => {
    const samples = known.get(id)?.samples ?? [];
    const [first, newest] = [samples[0], samples.at(-1)];
    if (first === undefined || newest === undefined || newest.at - first.at < 1000) return undefined;
    return Math.max(0, ((newest.final - first.final) * 1000) / (newest.at - first.at));
  };
  const view = (run: Run): RunView => viewRun(run, clock(), rateOf(run.id));
  const publish = (event: Pick<Kept, "type" | "data" | "run">): void => {
    last += 1;
    events.push({ ...event, id: `${epoch}-${last}`, number: last });
    if (events.length > 2 * kept) events = events.slice(-kept);
    for (const wake of wakes) wake();
  };
  const note = (run: Run): void => {
    const before = known.get(run.id);
    const text = JSON.stringify(run);
    const at = monotonic();
    const final = run.counts.succeeded + run.counts.failed;
    const samples =
      run.status === "running"
        ? [...(before?.samples ?? []).filter((sample) => at - sample.at < rateMs), { at, final }]
        : [];
    known.set(run.id, { text, run, samples });
    if (before?.text !== text) publish({ type: "run", run: run.id, data: { run: view(run) } });
  };
  const noteAnew = async (id: string): Promise<void> => {
    try {
      note(await engine.describe(id));
    } catch (error) {
      if (!(error instanceof RowcallError) || error.code !== "RUN_NOT_FOUND") throw error;
      // It was deleted.
      known.delete(id);
    }
  };
  const look = async (): Promise<void> => {
    if (monotonic() - listedAt >= listMs) {
      listedAt = monotonic();
      const listed = await engine.list({ limit: newestRuns });
      for (const run of listed.toReversed()) note(run);
      const ids = new Set(listed.map(({ id }) => id));
      for (const { run } of known.values()) {
        if (ids.has(run.id)) continue;
        if (run.status === "running" || watched.includes(run.id)) await noteAnew(run.id);
        else known.delete(run.id);
      }
      return;
    }
    for (const { run } of known.values()) if (run.status === "running") await noteAnew(run.id);
  };
  const again = (): void => {
    clearTimeout(timer);
    if (isClosed || isLooking || wakes.size === 0) return;
    timer = setTimeout(() => {
      isLooking = true;
      // What cannot be read now is read next time; `/ready` tells that it cannot.
      void look()
        .catch(() => {})
        .then(() => {
          isLooking = false;
          again();
        });
    }, lookMs);
  };

  async function* subscribe({
    run,
    lastEventId,
    signal,
  }: Parameters<RunWatch["subscribe"]>[0]): AsyncGenerator<LiveEvent> {
    let woken = Promise.withResolvers<void>();
    const wake = (): void => woken.resolve();
    wakes.add(wake);
    signal.addEventListener("abort", wake);
    watched.push(run);
    if (wakes.size === 1) again();
    try {
      if (run !== undefined && !known.has(run)) note(await engine.describe(run));
      let seen = placeOf(lastEventId);
      if (seen === undefined) {
        seen = last;
        const runs = run === undefined ? await engine.list({ limit: newestRuns }) : [await engine.describe(run)];
        yield { id: `${epoch}-${seen}`, type: "snapshot", data: { runs: runs.map(view) } };
      }
      while (!signal.aborted && !isClosed) {
        woken = Promise.withResolvers();
        const from = seen;
        // Of a run that changed more than once only its newest event is told.
        const fresh = events.filter((event) => event.number > from && (run === undefined || event.run === run));
        seen = last;
        const newest = new Map(fresh.map((event) => [`${event.type} ${event.run}`, event]));
        for (const event of fresh) {
          if (event.type === "run" && newest.get(`run ${event.run}`) !== event) continue;
          yield { id: event.id, type: event.type, data: event.data };
        }
        if (seen === last) await woken.promise;
      }
    } finally {
      wakes.delete(wake);
      signal.removeEventListener("abort", wake);
      watched.splice(watched.indexOf(run), 1);
      if (wakes.size === 0) clearTimeout(timer);
    }
  }

  // Undefined when events between that one and now are not kept any more.
  function placeOf(id: string | undefined): number | undefined {
    const [began, number = ""] = id?.split("-") ?? [];
    if (began !== epoch || !/^\d+$/.test(number)) return undefined;
    const place = Number(number);
    const oldest = events[0]?.number ?? last + 1;
    return place <= last && place >= oldest - 1 ? place : undefined;
  }

  return {
    subscribe,
    view,
    tell: (run, event) => {
      if (event.type !== "warning" && event.type !== "notice") return;
      const hint = event.type === "warning" ? event.hint : undefined;
      const data = { id: run, message: event.message, ...(hint === undefined ? {} : { hint }) };
      publish({ type: "message", run, data });
    },
    get watchers() {
      return wakes.size;
    },
    close: () => {
      isClosed = true;
      clearTimeout(timer);
      for (const wake of wakes) wake();
    },
  };
}
