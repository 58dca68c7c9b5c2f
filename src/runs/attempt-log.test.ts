import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type EndedAttempt, openAttemptLog, type AttemptLog, type LogListener } from "./attempt-log.ts";
import { journalMigrations, migrate, openDatabase, type Database } from "./sqlite.ts";

const run = 1;

function endedAttempt(row: number, text = ""): EndedAttempt {
  const attempt = {
    row,
    number: 1,
    startedAt: 1,
    endedAt: 2,
    outcome: { status: "succeeded", output: { text } },
    steps: [],
    artifacts: [],
  } as const;
  return { attempt, decides: true, weight: 1 };
}

describe("the log of a run's attempts", () => {
  let folder: string;
  let other: Database;
  let log: AttemptLog;
  let durable: number[];
  let failures: unknown[];
  const listener: LogListener = {
    onDurable: (entries) => void durable.push(...entries.map(({ attempt }) => attempt.row)),
    onFailure: (error) => void failures.push(error),
    underWay: () => 0,
    mostUncommitted: () => 3,
  };
  const committed = (): number =>
    Number(other.prepare("SELECT count(*) AS n FROM attempts WHERE standing = 2").get()?.["n"]);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rowcall-test-"));
    [durable, failures] = [[], []];
    const path = join(folder, "journal.db");
    other = openDatabase(path);
    migrate(other, journalMigrations);
    other.exec(
      `INSERT INTO runs (seq, id, status, batch, agent, fields, request, staged, total, created_at, recordings_uri)
       VALUES (${run}, 'r', 'running', '{}', '{}', '[]', '{}', '{}', 100, 0, 'file:///r/')`,
    );
    log = openAttemptLog(path, run, listener);
  });

  afterEach(async () => {
    await log.close();
    other.close();
    await rm(folder, { recursive: true });
  });

  it("has all calls but as many as may wait on disk as soon as they end, and holds up no row for it", async () => {
    for (let row = 0; row < 50; row += 1) {
      assert.equal(log.ended(endedAttempt(row)), undefined);
      assert.ok(committed() >= row + 1 - 3, `${committed()} of ${row + 1} are committed`);
    }
    await log.drain();
    assert.deepEqual(
      durable,
      Array.from({ length: 50 }, (_, row) => row),
    );
    assert.deepEqual({ ...other.prepare("SELECT succeeded, failed FROM runs").get() }, { succeeded: 50, failed: 0 });
  });

  it("lets rows wait, and nothing else, while another process writes", async () => {
    other.exec("BEGIN IMMEDIATE");
    const rooms = [0, 1, 2, 3].map((row) => log.ended(endedAttempt(row)));
    assert.deepEqual(
      rooms.map((room) => room !== undefined),
      [false, false, false, true],
    );
    assert.equal(committed(), 0);
    other.exec("COMMIT");
    await rooms[3];
    assert.equal(committed(), 4);
    assert.deepEqual(failures, []);
  });

  it("lets rows wait until large answers are synced", async () => {
    const room = log.ended(endedAttempt(0, "x".repeat(5 * 1024 * 1024)));
    assert.notEqual(room, undefined);
    await room;
    assert.deepEqual(durable, [0]);
  });

  it("tells once that nothing can be written any more, and holds up nobody then", async () => {
    other.exec("DROP TABLE attempts");
    const rooms = Array.from({ length: 9 }, (_, row) => log.ended(endedAttempt(row)));
    for (const room of rooms) await room;
    await log.drain();
    assert.equal(failures.length, 1);
    assert.deepEqual(durable, []);
  });
});
