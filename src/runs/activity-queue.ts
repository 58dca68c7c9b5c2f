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
import { migrate, inTransaction, openDatabase, type Database } from "./sqlite.ts";

const migrations = [
  `
  CREATE TABLE activities (name TEXT PRIMARY KEY, created_at INTEGER NOT NULL) STRICT;
  CREATE TABLE tasks (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    activity TEXT NOT NULL,
    key TEXT NOT NULL UNIQUE,
    input TEXT NOT NULL,
    heartbeat_ms INTEGER,
    timeout_ms INTEGER,
    scheduled_at INTEGER NOT NULL,
    token TEXT UNIQUE,
    worker TEXT,
    started_at INTEGER,
    silent_until INTEGER,
    due_at INTEGER,
    ended_at INTEGER,
    ending TEXT,
    change INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX tasks_waiting ON tasks (activity, seq) WHERE started_at IS NULL AND ended_at IS NULL;
  CREATE INDEX tasks_taken ON tasks (min(ifnull(silent_until, 9e15), ifnull(due_at, 9e15)))
    WHERE started_at IS NOT NULL AND ended_at IS NULL;
  CREATE INDEX tasks_by_change ON tasks (change);
  CREATE TABLE changes (newest INTEGER NOT NULL) STRICT;
  INSERT INTO changes VALUES (0);
  CREATE TABLE workers (
    activity TEXT NOT NULL,
    worker TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (activity, worker)
  ) STRICT, WITHOUT ROWID;
  `,
  // Of what was taken: when, as `silent_until`, `due_at` and `seen_at` are, on the machine's monotonic clock.
  "ALTER TABLE tasks ADD COLUMN taken_at INTEGER",
];

// How soon what another process did is noticed.
const pollMs = 50;
const sightingMs = 5000;
const rememberWorkersMs = 24 * 3600 * 1000;
const deadline = "min(ifnull(silent_until, 9e15), ifnull(due_at, 9e15))";
// How long a task took is added to the time of day at which it began.
const endNow = "started_at + max(0, ?1 - ifnull(taken_at, ?1))";
const isTaken = "started_at IS NOT NULL AND ended_at IS NULL";

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
  const database = openDatabase(path);
  migrate(database, migrations);
  const now = Math.floor(clocks.monotonic());
  // What lies further ahead than it can is of an earlier start of the machine.
  database
    .prepare("DELETE FROM workers WHERE seen_at NOT BETWEEN ? AND ?")
    .run(now - rememberWorkersMs, now + sightingMs);
  database
    .prepare(
      `UPDATE tasks SET silent_until = min(silent_until, ?1 + heartbeat_ms), due_at = min(due_at, ?1 + timeout_ms) WHERE ${isTaken}`,
    )
    .run(now);
  return new SqliteActivityQueue(database, clocks);
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
  readonly #statements: Statements;
  readonly #waiters = new Set<Waiter>();
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Immediate | undefined;
  #seenVersion: unknown;

  constructor(database: Database, clocks: Clocks) {
    this.#database = database;
    this.#clocks = clocks;
    this.#statements = prepareStatements(database);
  }

  createActivity(name: string): Activity {
    const createdAt = this.#clocks.clock();
    this.#database.prepare("INSERT OR IGNORE INTO activities VALUES (?, ?)").run(name, createdAt);
    return this.findActivity(name) ?? { name, createdAt };
  }

  deleteActivity(name: string): void {
    const error = {
      status: "failed",
      error: "ActivityDoesNotExist",
      cause: `The activity ${name} was deleted`,
    } as const;
    this.#write(() => {
      this.#database.prepare("DELETE FROM activities WHERE name = ?").run(name);
      this.#database
        .prepare(
          `UPDATE tasks SET ended_at = ifnull(${endNow}, ?2), ending = ?3, change = ?4 WHERE activity = ?5 AND ended_at IS NULL`,
        )
        .run(this.#now(), this.#clocks.clock(), JSON.stringify(error), this.#nextChange(), name);
    });
  }

  findActivity(name: string): Activity | undefined {
    return this.listActivities().find((activity) => activity.name === name);
  }

  listActivities(): readonly Activity[] {
    return this.#database
      .prepare("SELECT name, created_at AS createdAt FROM activities ORDER BY created_at, rowid")
      .all() as unknown as Activity[];
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
    return this.#database
      .prepare("SELECT worker FROM workers WHERE activity = ? AND seen_at >= ? ORDER BY worker")
      .all(activity, this.#now() - withinMs)
      .map(({ worker }) => String(worker));
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
    // SQLite counts the commits of other connections here.
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

interface TaskEntry {
  readonly key: string;
  readonly activity: string;
  readonly input: string;
  readonly scheduledAt: number;
  readonly worker: string | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly ending: string | null;
  readonly change: number;
}

type Statements = ReturnType<typeof prepareStatements>;

function prepareStatements(database: Database) {
  const columns = `key, activity, input, scheduled_at AS scheduledAt, worker, started_at AS startedAt, ended_at AS endedAt,
    ending, change`;
  return {
    schedule: database.prepare(
      "INSERT OR IGNORE INTO tasks (activity, key, input, heartbeat_ms, timeout_ms, scheduled_at) VALUES (?, ?, ?, ?, ?, ?)",
    ),
    remove: database.prepare("DELETE FROM tasks WHERE key = ?"),
    forget: database.prepare("DELETE FROM tasks WHERE key = ? AND ended_at IS NOT NULL"),
    find: database.prepare(`SELECT ${columns} FROM tasks WHERE key = ?`),
    byToken: database.prepare(`SELECT ${columns} FROM tasks WHERE token = ?`),
    isWaiting: database.prepare(
      "SELECT 1 FROM tasks WHERE activity = ? AND started_at IS NULL AND ended_at IS NULL LIMIT 1",
    ),
    take: database.prepare(
      `UPDATE tasks SET token = ?1, worker = ?2, started_at = ?3, taken_at = ?4, silent_until = ?4 + heartbeat_ms,
         due_at = ?4 + timeout_ms, change = ?5
       WHERE seq = (SELECT seq FROM tasks WHERE activity = ?6 AND started_at IS NULL AND ended_at IS NULL ORDER BY seq LIMIT 1)`,
    ),
    putBack: database.prepare(
      `UPDATE tasks SET token = NULL, worker = NULL, started_at = NULL, taken_at = NULL, silent_until = NULL, due_at = NULL, change = 0
       WHERE token = ? AND ended_at IS NULL`,
    ),
    alive: database.prepare("UPDATE tasks SET silent_until = ? + heartbeat_ms WHERE token = ?"),
    end: database.prepare(`UPDATE tasks SET ended_at = ${endNow}, ending = ?2, change = ?3 WHERE token = ?4`),
    isDue: database.prepare(`SELECT 1 FROM tasks WHERE ${isTaken} AND ${deadline} <= ? LIMIT 1`),
    expire: database.prepare(
      `UPDATE tasks SET ended_at = ${endNow}, change = ?2,
         ending = json_object('status', 'timed_out', 'limit', iif(ifnull(due_at, 9e15) <= ?1, 'timeout', 'heartbeat'))
       WHERE ${isTaken} AND ${deadline} <= ?1`,
    ),
    changed: database.prepare(`SELECT ${columns} FROM tasks WHERE change > ? ORDER BY change`),
    nextChange: database.prepare("UPDATE changes SET newest = newest + 1 RETURNING newest"),
    sight: database.prepare("INSERT OR REPLACE INTO workers VALUES (?, ?, ?)"),
    version: database.prepare("PRAGMA data_version"),
  };
}

function toMs(seconds: number | undefined): number | null {
  return seconds === undefined ? null : Math.round(seconds * 1000);
}

function toState({ key, scheduledAt, worker, startedAt, endedAt, ending }: TaskEntry): TaskState {
  return {
    key,
    scheduledAt,
    ...(worker === null ? {} : { worker }),
    ...(startedAt === null ? {} : { startedAt }),
    ...(endedAt === null ? {} : { endedAt }),
    ...(ending === null ? {} : { end: JSON.parse(ending) as TaskEnd }),
  };
}
