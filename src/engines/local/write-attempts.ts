import type { AttemptGroup } from "./attempt-group.ts";
import { inTransaction, type Database } from "./sqlite.ts";

/** Prepares the writing of attempts: each group in one transaction, the run's counts with it. */
export function openAttemptWriter(database: Database): (group: AttemptGroup) => void {
  const insert = database.prepare(
    "INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT), ?)",
  );
  const stopWaiting = database.prepare("UPDATE attempts SET due_at = NULL WHERE run = ? AND row = ? AND number = ?");
  const count = database.prepare(
    "UPDATE runs SET succeeded = succeeded + ?, failed = failed + ?, in_flight = ? WHERE seq = ?",
  );
  return (group) => inTransaction(database, () => writeAll(group));

  function writeAll({ run, numbers, texts, succeeded, failed, underWay }: AttemptGroup): void {
    for (let n = 0, t = 0; n < numbers.length; n += 6, t += 4) {
      const row = numbers[n] ?? 0;
      const number = numbers[n + 1] ?? 0;
      if (number > 1) stopWaiting.run(run, row, number - 1);
      insert.run(
        run,
        row,
        number,
        numbers[n + 2] ?? 0,
        orNull(numbers[n + 3]),
        numbers[n + 4] ?? 0,
        texts[t] ?? null,
        texts[t + 1] ?? null,
        texts[t + 2] ?? null,
        texts[t + 3] ?? null,
        orNull(numbers[n + 5]),
      );
    }
    count.run(succeeded, failed, underWay, run);
  }
}

function orNull(value = Number.NaN): number | null {
  return Number.isNaN(value) ? null : value;
}
