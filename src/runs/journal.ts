import type { AgentDefinition } from "../core/agent.ts";
import type { Attempt } from "../core/attempt.ts";
import type { RunnableBatch } from "../core/batch.ts";
import type { RerunChoice, RowSelection, RunLimits, RunQuery } from "../core/engine.ts";
import { explainDatabaseError } from "./database-errors.ts";
import { RowcallError } from "../core/errors.ts";
import type { RunStatus } from "../core/run.ts";
import type { ExpectedObject } from "./output-uri.ts";
import {
  standing,
  type AttemptGroup,
  openAttemptLog,
  type AttemptLog,
  type LogListener,
  openAttemptWriter,
} from "./attempt-log.ts";
import { openDeliveryLog, type DeliveryLog } from "./delivery-log.ts";
import { journalMigrations, migrate, inTransaction, openDatabase, type Database, type Durability } from "./sqlite.ts";
import { openRowReader, type RowReader } from "./row-reader.ts";
import { fromColumns, toColumns, type SqlValue } from "./run-columns.ts";
import type { StagedTable } from "../table/staging.ts";
import { attemptsByRow, openAttemptReader, toAttempt, type AttemptEntry, type ReadAttempts } from "./read-attempts.ts";
import { openWaitLog, type WaitLog } from "./wait-log.ts";

/** A run as the journal keeps it. */
export interface RunRecord {
  /** The journal's own number of the run. */
  readonly seq: number;
  readonly id: string;
  readonly name: string | null;
  readonly status: RunStatus;
  readonly batch: RunnableBatch;
  /** The agent as it was when the run began. */
  readonly agent: AgentDefinition;
  readonly fields: readonly string[];
  /** Which rows were asked for, and whether an output file that exists may be replaced. */
  readonly request: { readonly rows?: RowSelection; readonly limit?: number; readonly force?: boolean };
  readonly staged: StagedTable;
  /** Chosen rows. */
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  /** As of the last commit. */
  readonly inFlight: number;
  readonly createdAt: number;
  readonly endedAt: number | null;
  readonly outputUri: string | null;
  readonly recordingsUri: string;
  readonly reason: string | null;
  readonly stopRequested: boolean;
  /** What was changed of the batch's limits. */
  readonly limits: Partial<RunLimits> | null;
  /** What the run wrote last as its output, or was about to write when it ended. */
  readonly writing: ExpectedObject | null;
  /** Every output that the run wrote: each rerun may have written another. */
  readonly outputs: readonly string[] | null;
  /** Whether its deletion has begun: nothing but going on with that can be done with it. */
  readonly deleting: boolean;
}

/** A run to be noted. */
export type NewRun = Pick<
  RunRecord,
  "id" | "name" | "batch" | "agent" | "fields" | "request" | "staged" | "total" | "createdAt" | "recordingsUri"
>;

/** What of a run changes. */
export type RunPatch = Partial<
  Pick<
    RunRecord,
    "status" | "endedAt" | "outputUri" | "reason" | "stopRequested" | "limits" | "writing" | "outputs" | "deleting"
  >
>;

/** What others ask of a run that is going. */
export type RequestedLimits = Pick<RunRecord, "stopRequested" | "limits">;

/** What is known of a row that has been attempted. */
export interface RowHistory {
  readonly decided: boolean;
  readonly underWay: boolean;
  readonly lastNumber: number;
  /** Failed attempts that count against the retries: those since the last rerun. */
  readonly failures: number;
  /** Attempts since the last rerun that lost their worker. */
  readonly losses: number;
  /** Attempts since the last rerun that were in flight when the process died, and those of them that were so alone. */
  readonly crashes: number;
  readonly crashesAlone: number;
}

/** The durable memory of local runs: one file for all of them, shared by several processes. */
export class Journal {
  readonly #path: string;
  readonly #database: Database;
  readonly #decided: ReadAttempts;
  readonly #ended: ReadAttempts;
  readonly deliveries: DeliveryLog;
  readonly waits: WaitLog;
  #write: ((group: AttemptGroup) => void) | undefined;

  /**
   * @param path - file; made when it is not there
   * @param durability - `scratch` for a journal that ends with this process
   * @throws RowcallError JOURNAL_UNREADABLE
   */
  constructor(path: string, durability: Durability = "durable") {
    this.#path = path;
    this.#database = openDatabase(path, durability);
    try {
      migrate(this.#database, journalMigrations);
      this.#decided = openAttemptReader(this.#database, `standing = ${standing.decided}`);
      this.#ended = openAttemptReader(this.#database, `standing <> ${standing.underWay}`);
      this.deliveries = openDeliveryLog(this.#database);
      this.waits = openWaitLog(this.#database);
    } catch (error) {
      this.#database.close();
      throw explainDatabaseError(error);
    }
  }

  /** @throws RowcallError RUN_CONFLICT when the name is taken */
  createRun(run: NewRun): RunRecord {
    return inTransaction(this.#database, () => {
      if (run.name !== null && this.findRun(run.name) !== undefined) {
        throw new RowcallError("RUN_CONFLICT", `A run named "${run.name}" exists already`, {
          hint: "Choose another --name.",
        });
      }
      const values = toColumns({ ...run, status: "running" });
      const names = Object.keys(values);
      this.#database
        .prepare(`INSERT INTO runs (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`)
        .run(...Object.values(values));
      return this.getRun(run.id);
    });
  }

  updateRun(id: string, patch: RunPatch): RunRecord {
    const values = toColumns(patch);
    const sets = Object.keys(values).map((name) => `${name} = ?`);
    this.#database.prepare(`UPDATE runs SET ${sets.join(", ")} WHERE id = ?`).run(...Object.values(values), id);
    return this.getRun(id);
  }

  /** Lays limits over those that were changed before. */
  adjustRun(idOrName: string, change: Partial<RunLimits>): RunRecord {
    return inTransaction(this.#database, () => {
      const { id, limits } = this.getRun(idOrName);
      return this.updateRun(id, { limits: { ...limits, ...change } });
    });
  }

  /** A run by id or name. */
  findRun(idOrName: string): RunRecord | undefined {
    const found = this.#database.prepare("SELECT * FROM runs WHERE id = ? OR name = ?").get(idOrName, idOrName);
    return found && toRun(found);
  }

  /** @throws RowcallError RUN_NOT_FOUND */
  getRun(idOrName: string): RunRecord {
    const run = this.findRun(idOrName);
    if (run !== undefined) return run;
    throw new RowcallError("RUN_NOT_FOUND", `There is no run "${idOrName}"`, { hint: "`rowcall runs` lists them." });
  }

  /** Newest first; one that counts as running may be interrupted, so of these two the caller chooses. */
  *listRuns({ text, status, agent, idPrefix, before }: Omit<RunQuery, "limit"> = {}): Generator<RunRecord> {
    const statuses = status === "running" || status === "interrupted" ? ["running", "interrupted"] : [status];
    const conditions: [sql: string, ...values: SqlValue[]][] = [
      ...(before === undefined ? [] : [["seq < (SELECT seq FROM runs WHERE id = ?)", before] as [string, SqlValue]]),
      ...(status === undefined
        ? []
        : [[`status IN (${statuses.map(() => "?").join(", ")})`, ...statuses] as [string, ...SqlValue[]]]),
      ...(agent === undefined
        ? []
        : [["agent ->> 'agent_name' || '@' || (agent ->> 'version') = ?", agent] as [string, SqlValue]]),
      ...(idPrefix === undefined
        ? []
        : [["id BETWEEN ? AND ? || char(0x10FFFF)", idPrefix, idPrefix] as [string, ...SqlValue[]]]),
      ...(text === undefined
        ? []
        : [
            [
              "instr(lower(concat_ws(char(10), id, name, agent ->> 'agent_name', batch ->> 'inputUri')), lower(?)) > 0",
              text,
            ] as [string, SqlValue],
          ]),
    ];
    const where = conditions.map(([sql]) => sql).join(" AND ") || "TRUE";
    const found = this.#database.prepare(`SELECT * FROM runs WHERE ${where} ORDER BY seq DESC`);
    for (const entry of found.iterate(...conditions.flatMap(([, ...values]) => values))) yield toRun(entry);
  }

  requested(seq: number): RequestedLimits {
    const found = this.#database.prepare("SELECT stop_requested, limits FROM runs WHERE seq = ?").get(seq);
    const limits = found?.["limits"];
    return {
      stopRequested: found?.["stop_requested"] === 1,
      limits: typeof limits === "string" ? (JSON.parse(limits) as RequestedLimits["limits"]) : null,
    };
  }

  /** Opens the log of a run's attempts; see `openAttemptLog`. */
  openLog(seq: number, listener: LogListener): AttemptLog {
    return openAttemptLog(this.#path, seq, listener);
  }

  /** Notes attempts that were made elsewhere, and after which no other follows. */
  importAttempts(seq: number, attempts: readonly Attempt[]): void {
    this.#write ??= openAttemptWriter(this.#database);
    const ended = attempts.map((attempt) => ({ attempt, decides: true, weight: 1 }));
    this.#write({ run: seq, started: new Map(), ended, underWay: 0 });
  }

  /**
   * Closes the attempts that were in flight when the process ended: they failed, and do not count against the retries.
   *
   * @param isCrash - whether nobody had asked the process to end, so that one of them may be why
   */
  abandonAttempts(seq: number, isCrash: boolean): void {
    this.#database
      .prepare(
        "UPDATE attempts SET standing = ?, ended_at = started_at, code = 'INTERRUPTED', message = ? WHERE run = ? AND standing = ?",
      )
      .run(
        isCrash ? standing.crashed : standing.superseded,
        isCrash ? "The process died during this attempt" : "The process ended during this attempt",
        seq,
        standing.underWay,
      );
  }

  /** Whether `reopenFailed` would open a row. */
  hasFailed(seq: number, choice: RerunChoice): boolean {
    return chosenFailures(seq, choice).some(
      ([where, values]) =>
        this.#database.prepare(`SELECT 1 FROM attempts ${where} LIMIT 1`).get(...values) !== undefined,
    );
  }

  /** Opens failed rows again, all or those chosen; a row that shares the result of another opens that one. Returns how many. */
  reopenFailed(seq: number, choice: RerunChoice): number {
    return inTransaction(this.#database, () => {
      let opened = 0;
      for (const [where, values] of chosenFailures(seq, choice)) {
        const open = this.#database.prepare(`UPDATE attempts SET standing = ${standing.reopened} ${where}`);
        opened += Number(open.run(...values).changes);
      }
      // Should the process end now, the run is one to be resumed.
      if (opened > 0) this.#database.prepare("UPDATE runs SET status = 'interrupted' WHERE seq = ?").run(seq);
      this.recount(seq);
      return opened;
    });
  }

  /** Counts succeeded and failed rows anew from the attempts. */
  recount(seq: number): void {
    this.#database
      .prepare(
        `WITH decided AS (
           SELECT code IS NULL AS ok, 1 + (SELECT count(*) FROM duplicates d WHERE d.run = a.run AND d.leader = a.row) AS weight
           FROM attempts a WHERE run = ? AND standing = ${standing.decided})
         UPDATE runs SET succeeded = (SELECT coalesce(sum(weight), 0) FROM decided WHERE ok),
                         failed = (SELECT coalesce(sum(weight), 0) FROM decided WHERE NOT ok) WHERE seq = ?`,
      )
      .run(seq, seq);
  }

  /** What is known of the rows from `first` to `last`; rows never attempted are absent. */
  history(seq: number, first: number, last: number): Map<number, RowHistory> {
    const rows = this.#database
      .prepare(
        `SELECT row, max(number) AS lastNumber, max(standing = ${standing.decided}) AS decided, max(standing = ${standing.underWay}) AS underWay,
           sum(counts AND standing = ${standing.superseded} AND code NOT IN ('INTERRUPTED', 'WORKER_LOST')) AS failures,
           sum(counts AND standing = ${standing.superseded} AND code = 'WORKER_LOST') AS losses,
           sum(counts AND standing = ${standing.crashed}) AS crashes,
           sum(counts AND standing = ${standing.crashed} AND detail IS NOT NULL) AS crashesAlone
         FROM (SELECT *, number > coalesce(
             (SELECT max(number) FROM attempts r WHERE r.run = a.run AND r.row = a.row AND r.standing = ${standing.reopened}), 0) AS counts
           FROM attempts a WHERE run = ? AND row BETWEEN ? AND ?) GROUP BY row`,
      )
      .all(seq, first, last) as unknown as Record<keyof RowHistory | "row", number>[];
    return new Map(rows.map((r) => [r.row, { ...r, decided: r.decided === 1, underWay: r.underWay === 1 }]));
  }

  /** The attempt that decided a row, its own or its leader's; rows from `first` to `last` are asked for in ascending order. */
  results(seq: number, first: number, last: number): (row: number) => Attempt | undefined {
    const decided = this.#decidedBy(seq, first, last);
    return (row) => {
      const entry = decided(row);
      return entry === undefined ? undefined : toAttempt(entry);
    };
  }

  /** Output (JSON text) and error message that decided a row; asked for as `results` are. */
  texts(seq: number, first: number, last: number): (row: number) => { output: string | null; message: string | null } {
    const decided = this.#decidedBy(seq, first, last);
    return (row) => {
      const [, , , , , message, output] = decided(row) ?? [];
      return { output: output ?? null, message: message ?? null };
    };
  }

  /** All ended attempts of a row, oldest first; rows from `first` to `last` are asked for in ascending order. */
  attempts(seq: number, first: number, last: number): (row: number) => Attempt[] {
    const ended = attemptsByRow(this.#ended, seq, first, last);
    return (row) => ended(row).map(toAttempt);
  }

  #decidedBy(seq: number, first: number, last: number): (row: number) => AttemptEntry | undefined {
    const leaders = this.leaders(seq, first, last);
    const own = attemptsByRow(this.#decided, seq, first, last);
    return (row) => {
      const leader = leaders.get(row);
      return (leader === undefined ? own(row) : attemptsByRow(this.#decided, seq, leader, leader)(leader))[0];
    };
  }

  /** Rows among `first` to `last` that share the result of another row, which is named. */
  leaders(seq: number, first: number, last: number): Map<number, number> {
    const rows = this.#database
      .prepare("SELECT row, leader FROM duplicates WHERE run = ? AND row BETWEEN ? AND ?")
      .all(seq, first, last) as unknown as { row: number; leader: number }[];
    return new Map(rows.map(({ row, leader }) => [row, leader]));
  }

  /** Reads the journal in ways of its own; see `openRowReader`. */
  openRowReader(seq: number): RowReader {
    return openRowReader(this.#database, seq);
  }

  /** How many rows share the result of this one, itself included. */
  weight(seq: number, row: number): number {
    const sql = "SELECT 1 + count(*) AS n FROM duplicates WHERE run = ? AND leader = ?";
    return Number(this.#database.prepare(sql).get(seq, row)?.["n"] ?? 1);
  }

  /** Notes which rows are the same: the first with a key leads, later ones follow. Keys are kept on disk only while this runs. */
  async noteDuplicates(
    seq: number,
    keys: AsyncIterable<readonly { readonly row: number; readonly key: Uint8Array }[]>,
  ): Promise<void> {
    const database = this.#database;
    database.exec(
      "CREATE TEMP TABLE IF NOT EXISTS seen (key BLOB PRIMARY KEY, row INTEGER NOT NULL) WITHOUT ROWID; DELETE FROM seen;",
    );
    database.prepare("DELETE FROM duplicates WHERE run = ?").run(seq);
    const see = database.prepare("INSERT OR IGNORE INTO seen VALUES (?, ?)");
    const leader = database.prepare("SELECT row FROM seen WHERE key = ?");
    const note = database.prepare("INSERT INTO duplicates VALUES (?, ?, ?)");
    for await (const block of keys) {
      inTransaction(database, () => {
        for (const { row, key } of block) {
          if (see.run(key, row).changes === 0) note.run(seq, row, Number(leader.get(key)?.["row"]));
        }
      });
    }
    database.exec("DROP TABLE seen");
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

function toRun(entry: Record<string, unknown>): RunRecord {
  return fromColumns(entry) as unknown as RunRecord;
}

/** Conditions, each with its values, that find the attempts by which chosen rows failed. */
function chosenFailures(seq: number, { codes, rows }: RerunChoice): [where: string, values: SqlValue[]][] {
  const ofCode = codes === undefined ? "" : `AND code IN (${codes.map(() => "?").join(", ")})`;
  const where = `WHERE run = ? AND standing = ${standing.decided} AND code IS NOT NULL ${ofCode} AND (row BETWEEN ? AND ?
    OR row IN (SELECT leader FROM duplicates d WHERE d.run = attempts.run AND d.row BETWEEN ? AND ?))`;
  const ranges = rows ?? [[0, Number.MAX_SAFE_INTEGER] as const];
  return ranges.map(([first, last]) => [where, [seq, ...(codes ?? []), first, last, first, last]]);
}
