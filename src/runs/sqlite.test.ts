import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { RowcallError } from "../core/errors.ts";
import { explainDatabaseError } from "./database-errors.ts";
import { inTransaction, isLocked, openDatabase, tryLock } from "./sqlite.ts";

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

async function inFolder(work: (at: (name: string) => string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "rowcall-sqlite-"));
  try {
    await work((name) => join(folder, name));
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("a lock is held by one at a time, and whoever looks sees whether it is", () =>
  inFolder(async (at) => {
    assert.equal(isLocked(at("lock.db")), false);
    const lock = tryLock(at("lock.db"));
    assert.ok(lock !== undefined);
    assert.deepEqual([isLocked(at("lock.db")), tryLock(at("lock.db"))], [true, undefined]);
    lock.release();
    assert.equal(isLocked(at("lock.db")), false);
    const again = tryLock(at("lock.db"));
    assert.ok(again !== undefined);
    again.release();
  }));

test("a lock that another process looks at all the time can be taken each time", () =>
  inFolder(async (at) => {
    const path = at("lock.db");
    tryLock(path)?.release();
    const module = pathToFileURL(join(import.meta.dirname, "sqlite.ts")).href;
    const script = `
      import { isLocked } from ${JSON.stringify(module)};
      console.log("looking");
      for (;;) isLocked(${JSON.stringify(path)});
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const closed = once(child, "close");
    try {
      await once(child.stdout, "data");
      for (let n = 0; n < 2000; n += 1) {
        const lock = tryLock(path);
        assert.ok(lock !== undefined, `taken ${n} times`);
        lock.release();
      }
    } finally {
      child.kill("SIGKILL");
      await closed;
    }
  }));

test("a lock that cannot be taken is told with the cause, and is not one that somebody holds", () =>
  inFolder(async (at) => {
    await mkdir(at("folder"));
    assert.throws(() => tryLock(at("folder")), {
      code: "JOURNAL_UNREADABLE",
      message: /folder cannot be taken: unable to open database file/,
      hint: /can be written to/,
    });
    await writeFile(at("damaged"), Buffer.alloc(5000, "xyz"));
    assert.deepEqual([isLocked(at("folder")), isLocked(at("damaged"))], [false, false]);
    tryLock(at("damaged"))?.release();
  }));

// Root writes what is read-only.
function asOrdinaryUser(work: () => void): void {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

test("a lock on a disk that is read-only is told so, and whoever looks sees whether it is held", () =>
  inFolder(async (at) => {
    const path = at("lock.db");
    const lock = tryLock(path);
    await chmod(at("."), 0o755);
    await chmod(path, 0o444);
    asOrdinaryUser(() => assert.equal(isLocked(path), true));
    lock?.release();
    asOrdinaryUser(() => {
      assert.equal(isLocked(path), false);
      assert.throws(() => tryLock(path), { code: "JOURNAL_UNREADABLE", message: /readonly database/ });
    });
    await chmod(path, 0o600);
  }));
