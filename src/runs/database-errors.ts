import { RowcallError } from "../core/errors.ts";

/** What went wrong with a database, in our words: JOURNAL_UNREADABLE; anything else stays as it is. */
export function explainDatabaseError(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || !("code" in thrown) || thrown.code !== "ERR_SQLITE_ERROR") return thrown;
  if (isDamage(thrown)) {
    return new RowcallError("JOURNAL_UNREADABLE", `The journal is damaged: ${thrown.message}`, {
      hint: "Put a copy of journal.db back, or move it away: a new one is made, and outputs stay where they are.",
      cause: thrown,
    });
  }
  if (resultOf(thrown) === result.error) {
    return new RowcallError("JOURNAL_UNREADABLE", `The journal is not one of Rowcall's: ${thrown.message}`, {
      hint: "Choose another folder with --data-dir, or move the file away: a new one is made.",
      cause: thrown,
    });
  }
  return new RowcallError("JOURNAL_UNREADABLE", `The journal cannot be written: ${thrown.message}`, {
    hint: "Make room on the disk of the data directory and see that it can be written; what is finished is kept.",
    cause: thrown,
  });
}

// SQLite's primary result codes: https://www.sqlite.org/rescode.html
const result = { error: 1, busy: 5, corrupt: 11, notADatabase: 26 } as const;

function resultOf(thrown: unknown): number | undefined {
  return thrown instanceof Error && "errcode" in thrown ? Number(thrown.errcode) & 0xff : undefined;
}

/** Whether a database file is not what SQLite wrote. */
export function isDamage(thrown: unknown): boolean {
  const code = resultOf(thrown);
  return code === result.corrupt || code === result.notADatabase;
}

/** Whether somebody else holds what was asked for. */
export function isBusy(thrown: unknown): boolean {
  return resultOf(thrown) === result.busy;
}
