import type { ExecutionStatus } from "../aws/step-functions.ts";
import { RowcallError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { Clock } from "../core/services.ts";
import { join } from "node:path";
import { migrate, inTransaction, openDatabase, tryLock, type Database, type ProcessLock } from "./sqlite.ts";

/** One run of a state machine. Times are milliseconds since 1970, UTC. */
export interface Execution {
  readonly machine: string;
  /** Unique within the machine. */
  readonly name: string;
  /** JSON text, as it was given. */
  readonly input: string;
  readonly status: ExecutionStatus;
  readonly startedAt: number;
  readonly stoppedAt?: number;
  /** JSON text. */
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
  /** Id of the run that does the work of a batch. */
  readonly runId?: string;
  /** How often it was gone on with after it had failed or been stopped. */
  readonly redrives: number;
  readonly redrivenAt?: number;
  /** Given with the last redrive, so that the same request twice is one redrive. */
  readonly redriveToken?: string;
}

/** Which execution. */
export type ExecutionId = Pick<Execution, "machine" | "name">;

/** What of an execution changes; `undefined` takes a value away. */
export type ExecutionPatch = {
  readonly [Key in Exclude<keyof Execution, "machine" | "name" | "input" | "startedAt">]?: Execution[Key] | undefined;
};

/** Something that happened in an execution, with the names that Step Functions gives it. */
export interface HistoryEvent {
  /** 1-based, without gaps. */
  readonly id: number;
  /** The event that led to this one; 0 when none did. */
  readonly previous: number;
  readonly at: number;
  /** `MapRunStarted`. */
  readonly type: string;
  /** What Step Functions puts under `…EventDetails`; inputs and outputs as JSON text. */
  readonly details?: JsonObject;
}

/** Which executions; what is absent is any. */
export interface ExecutionFilter {
  readonly machine?: string;
  readonly status?: ExecutionStatus;
  readonly redriven?: boolean;
}

/** An event to be noted. */
export interface NewEvent extends Pick<HistoryEvent, "type" | "details"> {
  /** The event that led to this one. @default the one before it */
  readonly previous?: number;
}

// Each entry takes the schema one version further; entries are never changed once released.
const migrations = [
  `
  CREATE TABLE machines (name TEXT PRIMARY KEY, offered_at INTEGER NOT NULL) STRICT;
  CREATE TABLE executions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    machine TEXT NOT NULL,
    name TEXT NOT NULL,
    input TEXT NOT NULL,
    status TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    stopped_at INTEGER,
    output TEXT,
    error TEXT,
    cause TEXT,
    run_id TEXT,
    redrives INTEGER NOT NULL DEFAULT 0,
    redriven_at INTEGER,
    redrive_token TEXT,
    UNIQUE (machine, name)
  ) STRICT;
  CREATE INDEX executions_by_status ON executions (status, seq);
  CREATE INDEX executions_by_run ON executions (run_id) WHERE run_id IS NOT NULL;
  CREATE INDEX executions_by_end ON executions (stopped_at);
  CREATE TABLE events (
    execution INTEGER NOT NULL REFERENCES executions (seq) ON DELETE CASCADE,
    id INTEGER NOT NULL,
    previous INTEGER NOT NULL,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    details TEXT,
    PRIMARY KEY (execution, id)
  ) STRICT, WITHOUT ROWID;
  `,
];

/** Where the executions of a data directory are. */
export function executionsPath(dataDirectory: string): string {
  return join(dataDirectory, "executions.db");
}

/** As long as Step Functions remembers. */
const rememberedMs = 90 * 24 * 3600 * 1000;

/**
 * Opens the memory of executions in a database file. Executions that ended more than 90 days ago are forgotten.
 *
 * @param path - file; made when it is not there
 * @throws RowcallError ENDPOINT_BUSY when another process has it open: two would both go on with what is RUNNING; JOURNAL_UNREADABLE
 */
export function openExecutionJournal(path: string, clock: Clock = Date.now): ExecutionJournal {
  const lock = tryLock(`${path}.lock`);
  if (lock === undefined) {
    throw new RowcallError("ENDPOINT_BUSY", `Another process serves the executions in ${path}`, {
      hint: "Use the endpoint that is running, or choose another folder with --data-dir.",
    });
  }
  try {
    const database = openDatabase(path);
    migrate(database, migrations);
    database.prepare("DELETE FROM executions WHERE status <> 'RUNNING' AND stopped_at < ?").run(clock() - rememberedMs);
    return new ExecutionJournal(database, lock, clock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

const columns = {
  status: "status",
  stoppedAt: "stopped_at",
  output: "output",
  error: "error",
  cause: "cause",
  runId: "run_id",
  redrives: "redrives",
  redrivenAt: "redriven_at",
  redriveToken: "redrive_token",
} as const satisfies Record<keyof ExecutionPatch, string>;

/** The durable memory of executions. What is written is on disk when the call returns. */
export class ExecutionJournal {
  readonly #database: Database;
  readonly #lock: ProcessLock;
  readonly #clock: Clock;

  constructor(database: Database, lock: ProcessLock, clock: Clock) {
    this.#database = database;
    this.#lock = lock;
    this.#clock = clock;
  }

  /** When a machine of that name was first offered; now, if it is new. */
  firstOffered(machine: string): number {
    this.#database.prepare("INSERT OR IGNORE INTO machines VALUES (?, ?)").run(machine, this.#clock());
    return Number(
      this.#database.prepare("SELECT offered_at FROM machines WHERE name = ?").get(machine)?.["offered_at"],
    );
  }

  /** Notes a new execution and its first event. */
  create({ machine, name, input }: ExecutionId & Pick<Execution, "input">, event: NewEvent): Execution {
    return inTransaction(this.#database, () => {
      const { lastInsertRowid } = this.#database
        .prepare("INSERT INTO executions (machine, name, input, status, started_at) VALUES (?, ?, ?, 'RUNNING', ?)")
        .run(machine, name, input, this.#clock());
      this.#add(Number(lastInsertRowid), event);
      return this.#get({ machine, name }).execution;
    });
  }

  find(id: ExecutionId): Execution | undefined {
    return this.#find(id)?.execution;
  }

  findByRun(runId: string): Execution | undefined {
    const found = this.#database.prepare("SELECT * FROM executions WHERE run_id = ?").get(runId);
    return found && toExecution(found);
  }

  /** Newest first, at most so many, and of those only what is older than `before`. */
  list({ machine, status, redriven }: ExecutionFilter, many: number, before?: ExecutionId): readonly Execution[] {
    const conditions = [
      ...(machine === undefined ? [] : ["machine = ?"]),
      ...(status === undefined ? [] : ["status = ?"]),
      ...(redriven === undefined ? [] : [redriven ? "redrives > 0" : "redrives = 0"]),
      ...(before === undefined ? [] : [`seq < ${this.#find(before)?.seq ?? 0}`]),
    ];
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
    return this.#database
      .prepare(`SELECT * FROM executions ${where} ORDER BY seq DESC LIMIT ?`)
      .all(...[machine, status].filter((value) => value !== undefined), many)
      .map(toExecution);
  }

  update(id: ExecutionId, patch: ExecutionPatch, event?: NewEvent): Execution {
    return inTransaction(this.#database, () => {
      const { seq } = this.#get(id);
      if (event !== undefined) this.#add(seq, event);
      const changes = Object.entries(patch) as [keyof ExecutionPatch, string | number | undefined][];
      const sets = changes.map(([key]) => `${columns[key]} = ?`);
      this.#database
        .prepare(`UPDATE executions SET ${sets.join(", ")} WHERE seq = ?`)
        .run(...changes.map(([, value]) => value ?? null), seq);
      return this.#get(id).execution;
    });
  }

  /** Adds an event and answers its id; undefined when the execution is not RUNNING any more. */
  tell(id: ExecutionId, event: NewEvent): number | undefined {
    return inTransaction(this.#database, () => {
      const { seq, execution } = this.#get(id);
      return execution.status === "RUNNING" ? this.#add(seq, event) : undefined;
    });
  }

  /** Events from the oldest or the newest on, at most so many, and of those only what comes after the event `beyond`. */
  history(id: ExecutionId, first: "oldest" | "newest", many: number, beyond?: number): readonly HistoryEvent[] {
    const [order, side, none] = first === "oldest" ? ["ASC", ">", 0] : ["DESC", "<", Number.MAX_SAFE_INTEGER];
    return this.#database
      .prepare(`SELECT * FROM events WHERE execution = ? AND id ${side} ? ORDER BY id ${order} LIMIT ?`)
      .all(this.#get(id).seq, beyond ?? none, many)
      .map(toEvent);
  }

  close(): void {
    this.#database.close();
    this.#lock.release();
  }

  #find({ machine, name }: ExecutionId): { readonly seq: number; readonly execution: Execution } | undefined {
    const found = this.#database.prepare("SELECT * FROM executions WHERE machine = ? AND name = ?").get(machine, name);
    return found && { seq: Number(found["seq"]), execution: toExecution(found) };
  }

  #get(id: ExecutionId): { readonly seq: number; readonly execution: Execution } {
    const found = this.#find(id);
    if (found === undefined) throw new Error(`There is no execution ${id.machine}:${id.name}`);
    return found;
  }

  #add(seq: number, { type, details, previous }: NewEvent): number {
    const newest = Number(
      this.#database.prepare("SELECT coalesce(max(id), 0) AS id FROM events WHERE execution = ?").get(seq)?.["id"],
    );
    this.#database
      .prepare("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)")
      .run(
        seq,
        newest + 1,
        previous ?? newest,
        this.#clock(),
        type,
        details === undefined ? null : JSON.stringify(details),
      );
    return newest + 1;
  }
}

type Entry = Record<string, unknown>;

function toExecution(entry: Entry): Execution {
  const optional = Object.entries(columns)
    .filter(([, column]) => entry[column] !== null)
    .map(([key, column]) => [key, entry[column]]);
  return {
    machine: entry["machine"],
    name: entry["name"],
    input: entry["input"],
    startedAt: entry["started_at"],
    ...Object.fromEntries(optional),
  } as Execution;
}

function toEvent({ id, previous, at, type, details }: Entry): HistoryEvent {
  return {
    id,
    previous,
    at,
    type,
    ...(details === null ? {} : { details: JSON.parse(details as string) as JsonObject }),
  } as HistoryEvent;
}
