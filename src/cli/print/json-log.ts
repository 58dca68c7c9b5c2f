import { Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { RowcallError } from "../../core/errors.ts";
import { jsonLine } from "../../core/printable.ts";
import type { Io, Output } from "../io.ts";
import type { JsonLog, LogEntry } from "./log-entry.ts";

/**
 * The process with the log that `ROWCALL_LOG` asks for. With `json`, every line on standard error is one JSON object: what is
 * written there as text becomes the message of one.
 *
 * @param clock - milliseconds since 1970, UTC
 * @throws RowcallError USAGE_INVALID for a format that there is not
 */
export function withLog(io: Io, clock: () => number): Io {
  const format = io.env["ROWCALL_LOG"] ?? "";
  if (format === "" || format === "text") return io;
  if (format !== "json") {
    throw new RowcallError("USAGE_INVALID", `ROWCALL_LOG is "${format}", which is no format of the log`, {
      hint: "Use one of: text, json.",
    });
  }
  const log: JsonLog = (entry) => {
    io.stderr.write(jsonLine({ time: new Date(clock()).toISOString(), ...entry }));
  };
  return { ...io, stderr: openTextLog(log), log };
}

/** A stream whose lines become entries. */
function openTextLog(log: JsonLog): Output {
  let rest = "";
  return new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, _encoding, done) => {
      const lines = `${rest}${chunk.toString()}`.split("\n");
      rest = lines.pop() ?? "";
      for (const entry of entriesOf(lines)) log(entry);
      done();
    },
  });
}

function entriesOf(lines: readonly string[]): readonly LogEntry[] {
  const entries: LogEntry[] = [];
  for (const line of lines) {
    const text = stripVTControlCharacters(line).trim();
    const [, prefix, message = text] = /^(warning|error|hint): (.*)$/.exec(text) ?? [];
    const before = entries.at(-1);
    if (prefix === "hint" && before !== undefined) entries[entries.length - 1] = { ...before, hint: message };
    else if (text !== "") entries.push({ level: levels[prefix ?? ""] ?? "info", message });
  }
  return entries;
}

const levels: Readonly<Record<string, LogEntry["level"]>> = { warning: "warn", error: "error" };
