import { constants } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../core/errors.ts";
import { jsonLine } from "../core/printable.ts";
import { privateFile, privateFolder } from "../core/private-modes.ts";
import type { Clock } from "../core/services.ts";

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

/** What an audit log takes. */
export interface AuditOptions {
  readonly dataDirectory: string;
  readonly clock: Clock;
  /** Told once when the log cannot be written. */
  readonly stderr: { write(text: string): unknown };
}

/**
 * Opens the audit log of a data directory: `audit.jsonl`, one JSON object a line, which is only ever added to and which its owner alone
 * may read.
 */
export function openAudit({ dataDirectory, clock, stderr }: AuditOptions): Audit {
  const path = join(dataDirectory, "audit.jsonl");
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW } = constants;
  let hasWarned = false;
  return async (entry) => {
    try {
      await mkdir(dataDirectory, { recursive: true, mode: privateFolder });
      const file = await open(path, O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW, privateFile);
      try {
        // One write a line: those of other processes do not come in between.
        await file.write(jsonLine({ at: new Date(clock()).toISOString(), ...entry }));
      } finally {
        await file.close();
      }
    } catch (thrown) {
      if (!hasWarned) stderr.write(`warning: ${path} cannot be written: ${messageOf(thrown)}\n`);
      hasWarned = true;
    }
  };
}

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
