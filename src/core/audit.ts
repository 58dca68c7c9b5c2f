import type { JsonObject } from "./json.ts";

/** Something that somebody had the program do: start, change, publish. */
export interface AuditEntry {
  /** The way it came. */
  readonly via: "api" | "dashboard" | "mcp" | "stepfunctions";
  /** As far as it is known: `token`, `session:ab12cd34`, a key's id, an assistant's name. */
  readonly by: string;
  /** Address of the other side. */
  readonly from?: string;
  /** `startRun`, `start_batch`, `POST /runs/ID/stop`. */
  readonly action: string;
  /** A run, an agent, a file. */
  readonly target?: string;
  /** Short values of what was asked for. */
  readonly detail?: JsonObject;
  /** `done`, or why not: an error's code or a status. */
  readonly outcome: string;
}

/** Notes what was done. It never throws: what was done is done, and whoever opened the log says what went wrong with it. */
export type Audit = (entry: AuditEntry) => Promise<void>;

const longestText = 200;

/** The short values among the properties of an object: what an entry tells of a request. */
export function shortValues(value: unknown): JsonObject {
  if (typeof value !== "object" || value === null) return {};
  const short = Object.entries(value).filter(
    ([, part]) =>
      ["number", "boolean"].includes(typeof part) || (typeof part === "string" && part.length <= longestText),
  );
  return Object.fromEntries(short) as JsonObject;
}
