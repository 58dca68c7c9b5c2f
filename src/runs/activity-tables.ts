import type { TaskEnd, TaskState } from "../core/activity.ts";
import { migrate, openDatabase, type Database } from "./sqlite.ts";

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

// Last moments are kept on the machine's monotonic clock.
const deadline = "min(ifnull(silent_until, 9e15), ifnull(due_at, 9e15))";
// How long a task took is added to the time of day at which it began.
const endNow = "started_at + max(0, ?1 - ifnull(taken_at, ?1))";
const isTaken = "started_at IS NOT NULL AND ended_at IS NULL";
const isWaiting = "started_at IS NULL AND ended_at IS NULL";
const rememberWorkersMs = 24 * 3600 * 1000;

/** How often it is noted who asks for tasks. */
export const sightingMs = 5000;

/** A task as the database has it. */
export interface TaskEntry {
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

const columns = `key, activity, input, scheduled_at AS scheduledAt, worker, started_at AS startedAt, ended_at AS endedAt,
  ending, change`;

const statements = {
  createActivity: "INSERT OR IGNORE INTO activities VALUES (?, ?)",
  deleteActivity: "DELETE FROM activities WHERE name = ?",
  listActivities: "SELECT name, created_at AS createdAt FROM activities ORDER BY created_at, rowid",
  schedule:
    "INSERT OR IGNORE INTO tasks (activity, key, input, heartbeat_ms, timeout_ms, scheduled_at) VALUES (?, ?, ?, ?, ?, ?)",
  remove: "DELETE FROM tasks WHERE key = ?",
  forget: "DELETE FROM tasks WHERE key = ? AND ended_at IS NOT NULL",
  find: `SELECT ${columns} FROM tasks WHERE key = ?`,
  byToken: `SELECT ${columns} FROM tasks WHERE token = ?`,
  isWaiting: `SELECT 1 FROM tasks WHERE activity = ? AND ${isWaiting} LIMIT 1`,
  take: `UPDATE tasks SET token = ?1, worker = ?2, started_at = ?3, taken_at = ?4, silent_until = ?4 + heartbeat_ms,
      due_at = ?4 + timeout_ms, change = ?5
    WHERE seq = (SELECT seq FROM tasks WHERE activity = ?6 AND ${isWaiting} ORDER BY seq LIMIT 1)`,
  putBack: `UPDATE tasks SET token = NULL, worker = NULL, started_at = NULL, taken_at = NULL, silent_until = NULL, due_at = NULL, change = 0
    WHERE token = ? AND ended_at IS NULL`,
  alive: "UPDATE tasks SET silent_until = ? + heartbeat_ms WHERE token = ?",
  end: `UPDATE tasks SET ended_at = ${endNow}, ending = ?2, change = ?3 WHERE token = ?4`,
  endAll: `UPDATE tasks SET ended_at = ifnull(${endNow}, ?2), ending = ?3, change = ?4 WHERE activity = ?5 AND ended_at IS NULL`,
  isDue: `SELECT 1 FROM tasks WHERE ${isTaken} AND ${deadline} <= ? LIMIT 1`,
  expire: `UPDATE tasks SET ended_at = ${endNow}, change = ?2,
      ending = json_object('status', 'timed_out', 'limit', iif(ifnull(due_at, 9e15) <= ?1, 'timeout', 'heartbeat'))
    WHERE ${isTaken} AND ${deadline} <= ?1`,
  changed: `SELECT ${columns} FROM tasks WHERE change > ? ORDER BY change`,
  nextChange: "UPDATE changes SET newest = newest + 1 RETURNING newest",
  sight: "INSERT OR REPLACE INTO workers VALUES (?, ?, ?)",
  recentWorkers: "SELECT worker FROM workers WHERE activity = ? AND seen_at >= ? ORDER BY worker",
  // SQLite counts the commits of other connections here.
  version: "PRAGMA data_version",
};

/** What is asked of the tables, prepared. */
export type ActivityStatements = Readonly<Record<keyof typeof statements, ReturnType<Database["prepare"]>>>;

/**
 * Opens the tables of activities, their tasks and who works on them.
 *
 * @param path - file; made when it is not there
 * @param now - on the machine's monotonic clock: what lies further ahead than it can is of an earlier start of the machine
 * @throws RowcallError JOURNAL_UNREADABLE
 */
export function openActivityTables(path: string, now: number): { database: Database; statements: ActivityStatements } {
  const database = openDatabase(path);
  migrate(database, migrations);
  database
    .prepare("DELETE FROM workers WHERE seen_at NOT BETWEEN ? AND ?")
    .run(now - rememberWorkersMs, now + sightingMs);
  database
    .prepare(
      `UPDATE tasks SET silent_until = min(silent_until, ?1 + heartbeat_ms), due_at = min(due_at, ?1 + timeout_ms) WHERE ${isTaken}`,
    )
    .run(now);
  const prepared = Object.entries(statements).map(([name, sql]) => [name, database.prepare(sql)]);
  return { database, statements: Object.fromEntries(prepared) as ActivityStatements };
}

/** A task as others see it. */
export function toState({ key, scheduledAt, worker, startedAt, endedAt, ending }: TaskEntry): TaskState {
  return {
    key,
    scheduledAt,
    ...(worker === null ? {} : { worker }),
    ...(startedAt === null ? {} : { startedAt }),
    ...(endedAt === null ? {} : { endedAt }),
    ...(ending === null ? {} : { end: JSON.parse(ending) as TaskEnd }),
  };
}
