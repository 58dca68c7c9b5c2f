import { constants } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import type { Audit } from "../app/audit.ts";
import { messageOf } from "../core/errors.ts";
import type { Clock } from "../core/services.ts";
import { privateFile, privateFolder } from "../core/private-modes.ts";
import { jsonLine } from "./print/terminal.ts";

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
