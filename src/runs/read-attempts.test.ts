import assert from "node:assert/strict";
import { test } from "node:test";
import { standing } from "./attempt-log.ts";
import { journalMigrations, migrate, openDatabase } from "./sqlite.ts";
import { attemptsByRow, openAttemptReader } from "./read-attempts.ts";

test("large answers are read one at a time, each once and with all attempts of its row", () => {
  const database = openDatabase(":memory:");
  migrate(database, journalMigrations);
  database.exec("PRAGMA foreign_keys = OFF");
  const insert = database.prepare(
    "INSERT INTO attempts (run, row, number, started_at, standing, output) VALUES (1, ?, ?, 0, ?, ?)",
  );
  const large = "x".repeat(2 * 1024 * 1024);
  for (const [row, number] of [
    [0, 1],
    [0, 2],
    [1, 1],
    [3, 1],
  ] as const)
    insert.run(row, number, standing.superseded, large);
  const read = openAttemptReader(database, `standing <> ${standing.underWay}`);
  const pieces: number[][] = [];
  const attempts = attemptsByRow(
    (...asked) => {
      const piece = read(...asked);
      pieces.push([...piece.entries.keys(), piece.through]);
      return piece;
    },
    1,
    0,
    4,
  );
  const numbers = [0, 1, 2, 3, 4].map((row) => attempts(row).map(([of, number]) => [of, number]));
  assert.deepEqual(numbers, [
    [
      [0, 1],
      [0, 2],
    ],
    [[1, 1]],
    [],
    [[3, 1]],
    [],
  ]);
  assert.deepEqual(pieces, [[0, 0], [1, 1], [3, 3], [4]]);
  database.close();
});
