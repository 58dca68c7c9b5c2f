const columns: Readonly<Record<string, string>> = {
  createdAt: "created_at",
  endedAt: "ended_at",
  inFlight: "in_flight",
  outputUri: "output_uri",
  recordingsUri: "recordings_uri",
  stopRequested: "stop_requested",
};
const keys = Object.fromEntries(Object.entries(columns).map(([key, column]) => [column, key]));
const jsonKeys = ["batch", "agent", "fields", "request", "staged", "limits", "writing", "outputs"];
const flags = ["stopRequested", "deleting"];

/** A value as SQLite takes it. */
export type SqlValue = string | number | null;

/** Values of a run by the journal's columns. */
export function toColumns(values: object): Record<string, SqlValue> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]: [string, unknown]) => {
      const json = jsonKeys.includes(key) && value !== null;
      const sql = json ? JSON.stringify(value) : typeof value === "boolean" ? Number(value) : value;
      return [columns[key] ?? key, sql as SqlValue];
    }),
  );
}

/** Values of a run from the journal's columns. */
export function fromColumns(entry: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(entry).map(([column, value]) => {
      const key = keys[column] ?? column;
      if (flags.includes(key)) return [key, value === 1];
      return [key, jsonKeys.includes(key) && value !== null ? JSON.parse(value as string) : value];
    }),
  );
}
