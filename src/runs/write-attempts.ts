import type { Attempt } from "../core/attempt.ts";
import { standing, type AttemptGroup } from "./attempt-group.ts";
import { inTransaction, type Database } from "./sqlite.ts";

/** Prepares the writing of attempts: each group in one transaction, the run's counts with it. */
export function openAttemptWriter(database: Database): (group: AttemptGroup) => void {
  const insert = database.prepare("INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const stopWaiting = database.prepare("UPDATE attempts SET due_at = NULL WHERE run = ? AND row = ? AND number = ?");
  const count = database.prepare(
    "UPDATE runs SET succeeded = succeeded + ?, failed = failed + ?, in_flight = ? WHERE seq = ?",
  );
  return (group) => inTransaction(database, () => writeAll(group));

  function writeAll({ run, started, ended, underWay }: AttemptGroup): void {
    let succeeded = 0;
    let failed = 0;
    for (const { attempt, decides, weight, dueAt = null } of ended) {
      const { row, number, startedAt, endedAt, outcome } = attempt;
      const stands = decides ? standing.decided : standing.superseded;
      const detail = detailOf(attempt);
      if (number > 1) stopWaiting.run(run, row, number - 1);
      if (outcome.status === "succeeded") {
        const output = JSON.stringify(outcome.output);
        insert.run(run, row, number, startedAt, endedAt, stands, null, null, output, detail, dueAt);
        succeeded += decides ? weight : 0;
      } else {
        insert.run(run, row, number, startedAt, endedAt, stands, outcome.code, outcome.message, null, detail, dueAt);
        failed += decides ? weight : 0;
      }
    }
    for (const [row, { number, at, isAlone }] of started) {
      if (number > 1) stopWaiting.run(run, row, number - 1);
      insert.run(run, row, number, at, null, standing.underWay, null, null, null, isAlone ? aloneDetail : null, null);
    }
    count.run(succeeded, failed, underWay, run);
  }
}

const aloneDetail = JSON.stringify({ alone: true });

function detailOf({ steps, artifacts, outcome, worker }: Attempt): string | null {
  const hint = outcome.status === "failed" ? outcome.hint : undefined;
  if (steps.length === 0 && artifacts.length === 0 && hint === undefined && worker === undefined) return null;
  return JSON.stringify({ steps, artifacts, hint, worker });
}
