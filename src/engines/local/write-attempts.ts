import type { AttemptGroup } from "./attempt-group.ts";
import { inTransaction, type Database } from "./sqlite.ts";

/** Prepares the writing of attempts: each group in one transaction, the run's counts with it. */
export function openAttemptWriter(database: Database): (group: AttemptGroup) => void {
  const insert = database.prepare(
    "INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT))",
  );
  const count = database.prepare(
    "UPDATE runs SET succeeded = succeeded + ?, failed = failed + ?, in_flight = ? WHERE seq = ?",
  );
  return (group) => inTransaction(database, () => writeAll(group));

  function writeAll({ run, numbers, texts, succeeded, failed, underWay }: AttemptGroup): void {
    for (let n = 0, t = 0; n < numbers.length; n += 5, t += 4) {
      const endedAt = numbers[n + 3] ?? Number.NaN;
      insert.run(
        run,
        numbers[n] ?? 0,
        numbers[n + 1] ?? 0,
        numbers[n + 2] ?? 0,
        Number.isNaN(endedAt) ? null : endedAt,
        numbers[n + 4] ?? 0,
        texts[t] ?? null,
        texts[t + 1] ?? null,
        texts[t + 2] ?? null,
        texts[t + 3] ?? null,
      );
    }
    count.run(succeeded, failed, underWay, run);
  }
}
