import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type {
  Activity,
  ActivityQueue,
  TakenTask,
  TaskEnd,
  TaskRequest,
  TaskState,
  TokenVerdict,
} from "../core/activity.ts";
import type { Clocks } from "../core/services.ts";
import { machineClocks } from "./machine-clocks.ts";
import { openActivityTables, sightingMs, toState, type ActivityStatements, type TaskEntry } from "./activity-tables.ts";
import { inTransaction, type Database } from "./sqlite.ts";

// How soon what another process did is noticed.
const pollMs = 50;

/** Where the queues of a data directory are. */
export function activitiesPath(dataDirectory: string): string {
  return join(dataDirectory, "activities.db");
}

/**
 * Opens the queues in a database file that several processes share. A task is on disk before it counts as scheduled, and its end
 * before it counts as told.
 *
 * @param path - file; made when it is not there
 * @throws RowcallError JOURNAL_UNREADABLE
 */
export function openActivityQueue(path: string, clocks: Clocks = machineClocks): ActivityQueue {
  return new SqliteActivityQueue(path, clocks);
}

interface Waiter {
  readonly activity: string;
  readonly worker: string;
  seenAt: number;
  resolve(task: TakenTask | undefined): void;
}

interface Watcher {
  readonly prefix: string;
  readonly listener: (task: TaskState) => void;
  /** Newest change it was told. */
  told: number;
}

class SqliteActivityQueue implements ActivityQueue {
  readonly #database: Database;
  readonly #clocks: Clocks;
  readonly #statements: ActivityStatements;
  readonly #waiters = new Set<Waiter>();
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Immediate | undefined;
  #seenVersion: unknown;

  constructor(path: string, clocks: Clocks) {
    this.#clocks = clocks;
    const { database, statements } = openActivityTables(path, this.#now());
    this.#database = database;
    this.#statements = statements;
  }

  createActivity(name: string): Activity {
    const createdAt = this.#clocks.clock();
    this.#statements.createActivity.run(name, createdAt);
    return this.findActivity(name) ?? { name, createdAt };
  }

  deleteActivity(name: string): void {
    const error = {
      status: "failed",
      error: "ActivityDoesNotExist",
      cause: `The activity ${name} was deleted`,
    } as const;
    this.#write(() => {
      this.#statements.deleteActivity.run(name);
      this.#statements.endAll.run(this.#now(), this.#clocks.clock(), JSON.stringify(error), this.#nextChange(), name);
    });
  }

  findActivity(name: string): Activity | undefined {
    return this.listActivities().find((activity) => activity.name === name);
  }

  listActivities(): readonly Activity[] {
    return this.#statements.listActivities.all() as unknown as Activity[];
  }

  schedule(requests: readonly TaskRequest[]): void {
    const now = this.#clocks.clock();
    this.#write(() => {
      for (const { activity, key, input, heartbeatSeconds, timeoutSeconds } of requests)
        this.#statements.schedule.run(activity, key, input, toMs(heartbeatSeconds), toMs(timeoutSeconds), now);
    });
  }

  cancel(keys: readonly string[]): void {
    this.#write(() => keys.forEach((key) => this.#statements.remove.run(key)));
  }

  find(key: string): TaskState | undefined {
    const entry = this.#statements.find.get(key) as unknown as TaskEntry | undefined;
    return entry && toState(entry);
  }

  watch(prefix: string, listener: (task: TaskState) => void): { close(): void } {
    const watcher: Watcher = { prefix, listener, told: 0 };
    this.#watchers.add(watcher);
    this.#poke();
    return { close: () => void this.#watchers.delete(watcher) };
  }

  forget(keys: readonly string[]): void {
    inTransaction(this.#database, () => keys.forEach((key) => this.#statements.forget.run(key)));
  }

  take(activity: string, worker: string, signal: AbortSignal): Promise<TakenTask | undefined> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(undefined);
      const onAbort = (): void => waiter.resolve(undefined);
      const waiter: Waiter = {
        activity,
        worker,
        seenAt: Number.NEGATIVE_INFINITY,
        resolve: (task) => {
          signal.removeEventListener("abort", onAbort);
          this.#waiters.delete(waiter);
          resolve(task);
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiters.add(waiter);
      this.#poke();
    });
  }

  putBack(token: string): void {
    this.#write(() => this.#statements.putBack.run(token));
  }

  heartbeat(token: string): TokenVerdict {
    const now = this.#now();
    return this.#tell(token, (task) => {
      this.#statements.alive.run(now, token);
      this.#sight(task.activity, task.worker ?? "", now);
    });
  }

  succeed(token: string, output: string): TokenVerdict {
    return this.#end(token, { status: "succeeded", output });
  }

  fail(token: string, error: string | undefined, cause: string | undefined): TokenVerdict {
    return this.#end(token, {
      status: "failed",
      ...(error === undefined ? {} : { error }),
      ...(cause === undefined ? {} : { cause }),
    });
  }

  recentWorkers(activity: string, withinMs: number): readonly string[] {
    const found = this.#statements.recentWorkers.all(activity, this.#now() - withinMs);
    return found.map(({ worker }) => String(worker));
  }

  close(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#soon);
    this.#watchers.clear();
    for (const waiter of this.#waiters) waiter.resolve(undefined);
    if (this.#database.isOpen) this.#database.close();
  }

  #end(token: string, end: TaskEnd): TokenVerdict {
    const now = this.#now();
    return this.#tell(token, (task) => {
      this.#statements.end.run(now, JSON.stringify(end), this.#nextChange(), token);
      this.#sight(task.activity, task.worker ?? "", now);
    });
  }

  // What a worker says counts only while its task is its own: one that is late finds it over, even if nobody has noticed before.
  #tell(token: string, accept: (task: TaskEntry) => void): TokenVerdict {
    return this.#write((): TokenVerdict => {
      this.#expire();
      const task = this.#statements.byToken.get(token) as unknown as TaskEntry | undefined;
      if (task === undefined) return "unknown";
      if (task.endedAt !== null) return "over";
      accept(task);
      return "accepted";
    });
  }

  #write<T>(work: () => T): T {
    const result = inTransaction(this.#database, work);
    this.#poke();
    return result;
  }

  #poke(): void {
    if (this.#waiters.size + this.#watchers.size > 0) this.#soon ??= setImmediate(() => this.#tick(true));
  }

  #tick(changed: boolean): void {
    this.#soon = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = this.#now();
    if (this.#isDue(now)) inTransaction(this.#database, () => this.#expire());
    const version = this.#statements.version.get()?.["data_version"];
    if (changed || version !== this.#seenVersion) {
      this.#seenVersion = version;
      this.#serve(now);
    }
    this.#tellWatchers();
    this.#sightWaiters(now);
    if (this.#waiters.size + this.#watchers.size > 0) this.#timer ??= setTimeout(() => this.#tick(false), pollMs);
  }

  #serve(now: number): void {
    for (const waiter of this.#waiters) {
      const { activity, worker } = waiter;
      if (this.#statements.isWaiting.get(activity) === undefined) continue;
      const token = randomBytes(32).toString("base64url");
      const task = inTransaction(this.#database, () => {
        const { changes } = this.#statements.take.run(
          token,
          worker,
          this.#clocks.clock(),
          now,
          this.#nextChange(),
          activity,
        );
        if (changes === 0) return undefined;
        this.#sight(activity, worker, now);
        return this.#statements.byToken.get(token) as unknown as TaskEntry;
      });
      if (task !== undefined) waiter.resolve({ token, input: task.input });
    }
  }

  #tellWatchers(): void {
    for (const watcher of this.#watchers) {
      const entries = this.#statements.changed.all(watcher.told) as unknown as TaskEntry[];
      for (const entry of entries) {
        watcher.told = entry.change;
        if (entry.key.startsWith(watcher.prefix)) watcher.listener(toState(entry));
      }
    }
  }

  #sightWaiters(now: number): void {
    const due = [...this.#waiters].filter(({ seenAt }) => now - seenAt >= sightingMs);
    if (due.length === 0) return;
    inTransaction(this.#database, () => {
      for (const waiter of due) {
        waiter.seenAt = now;
        this.#sight(waiter.activity, waiter.worker, now);
      }
    });
  }

  #sight(activity: string, worker: string, now: number): void {
    this.#statements.sight.run(activity, worker, now);
  }

  #expire(): void {
    const now = this.#now();
    if (this.#isDue(now)) this.#statements.expire.run(now, this.#nextChange());
  }

  #isDue(now: number): boolean {
    return this.#statements.isDue.get(now) !== undefined;
  }

  #now(): number {
    return Math.floor(this.#clocks.monotonic());
  }

  #nextChange(): number {
    return Number(this.#statements.nextChange.get()?.["newest"]);
  }
}

function toMs(seconds: number | undefined): number | null {
  return seconds === undefined ? null : Math.round(seconds * 1000);
}
