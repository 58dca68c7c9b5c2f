import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { RowcallError } from "../core/errors.ts";
import { explainDatabaseError } from "./database-errors.ts";
import { inTransaction, openDatabase } from "./sqlite.ts";

test("a full disk in the middle of a transaction is told as what it is, and leaves what was there", () => {
  const database = openDatabase(":memory:");
  try {
    database.exec("CREATE TABLE cells (text TEXT); PRAGMA max_page_count = 10;");
    const insert = database.prepare("INSERT INTO cells VALUES (?)");
    assert.throws(
      () =>
        inTransaction(database, () => {
          for (let n = 0; n < 100; n += 1) insert.run("x".repeat(4096));
        }),
      (error) => {
        const told = explainDatabaseError(error);
        assert.ok(told instanceof RowcallError);
        assert.deepEqual(
          [told.code, told.message],
          ["JOURNAL_UNREADABLE", "The journal cannot be written: database or disk is full"],
        );
        return true;
      },
    );
    assert.equal(database.prepare("SELECT count(*) AS n FROM cells").get()?.["n"], 0);
  } finally {
    database.close();
  }
});

test("what a transaction throws itself is passed on as it is", () => {
  const database = openDatabase(":memory:");
  const own = new Error("own");
  try {
    assert.throws(
      () =>
        inTransaction(database, () => {
          throw own;
        }),
      (error) => error === own,
    );
    assert.equal(explainDatabaseError("text"), "text");
  } finally {
    database.close();
  }
});

test("a scratch database is one file of one process, and a transaction that throws leaves nothing in it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-sqlite-"));
  const database = openDatabase(join(folder, "scratch.db"), "scratch");
  try {
    database.exec("CREATE TABLE cells (text TEXT)");
    const insert = database.prepare("INSERT INTO cells VALUES (?)");
    inTransaction(database, () => insert.run("kept"));
    assert.throws(() =>
      inTransaction(database, () => {
        insert.run("lost");
        throw new Error("no");
      }),
    );
    assert.deepEqual(
      database
        .prepare("SELECT text FROM cells")
        .all()
        .map(({ text }) => text),
      ["kept"],
    );
    assert.deepEqual(await readdir(folder), ["scratch.db"]);
    const other = openDatabase(":memory:");
    other.exec("PRAGMA busy_timeout = 0");
    assert.throws(
      () => other.exec(`ATTACH '${join(folder, "scratch.db")}' AS theirs; SELECT * FROM theirs.cells`),
      /locked/,
    );
    other.close();
  } finally {
    database.close();
    await rm(folder, { recursive: true });
  }
});
