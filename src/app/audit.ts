/** Texts that are short, numbers and the like, by name. */
export type ShortValues = Readonly<Record<string, string | number | boolean>>;

/** Something that somebody had the program do: start, change, publish. */
export interface AuditEntry {
  /** The way it came. */
  readonly via: "api" | "dashboard" | "mcp" | "stepfunctions" | "cli";
  /** As far as it is known: `token`, `session:ab12cd34`, a key's id, an assistant's name, `user:1000`. */
  readonly by: string;
  /** Address of the other side. */
  readonly from?: string;
  /** `startRun`, `start_batch`, `POST /runs/ID/stop`. */
  readonly action: string;
  /** A run, an agent, a file. */
  readonly target?: string;
  /** Short values of what was asked for. */
  readonly detail?: ShortValues;
  /** `done`, or why not: an error's code or a status. */
  readonly outcome: string;
}

/** Notes what was done. It never throws: what was done is done, and whoever opened the log says what went wrong with it. */
export type Audit = (entry: AuditEntry) => Promise<void>;

const longestText = 200;

/** The short values among the properties of an object: what an entry tells of a request. */
export function shortValues(value: unknown): ShortValues {
  if (typeof value !== "object" || value === null) return {};
  const properties = Object.entries(value) as readonly (readonly [name: string, part: unknown])[];
  return Object.fromEntries(properties.flatMap(([name, part]) => (isShort(part) ? [[name, part]] : [])));
}

function isShort(part: unknown): part is string | number | boolean {
  return (
    typeof part === "number" || typeof part === "boolean" || (typeof part === "string" && part.length <= longestText)
  );
}
