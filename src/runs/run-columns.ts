const columns: Readonly<Record<string, string>> = {
  createdAt: "created_at",
  endedAt: "ended_at",
  inFlight: "in_flight",
  outputUri: "output_uri",
  recordingsUri: "recordings_uri",
  stopRequested: "stop_requested",
};
const jsonColumns = ["batch", "agent", "fields", "request", "staged", "limits", "writing", "outputs"];

/** A value as SQLite takes it. */
export type SqlValue = string | number | null;

/** Values of a run by the journal's columns. */
export function toColumns(values: object): Record<string, SqlValue> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]: [string, unknown]) => {
      const json = jsonColumns.includes(key) && value !== null;
      const sql = json ? JSON.stringify(value) : typeof value === "boolean" ? Number(value) : value;
      return [columns[key] ?? key, sql as SqlValue];
    }),
  );
}

/** Values of a run from the journal's columns. */
export function fromColumns(entry: Record<string, unknown>): Record<string, unknown> {
  const json = (name: string): unknown => (entry[name] === null ? null : JSON.parse(entry[name] as string));
  const { created_at, ended_at, in_flight, output_uri, recordings_uri, stop_requested, ...same } = entry;
  return {
    ...same,
    ...Object.fromEntries(jsonColumns.map((name) => [name, json(name)])),
    createdAt: created_at,
    endedAt: ended_at,
    inFlight: in_flight,
    outputUri: output_uri,
    recordingsUri: recordings_uri,
    stopRequested: stop_requested === 1,
    deleting: entry["deleting"] === 1,
  };
}
