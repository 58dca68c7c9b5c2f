import Table from "cli-table3";
import type { Warning } from "../../core/errors.ts";
import { jsonLine, printable } from "../../core/printable.ts";
import { colorsFor } from "../cli.ts";
import { write, type Io, type Output } from "../io.ts";

export { formatDuration } from "../../core/duration.ts";

/** Prints a value as one line of JSON: on standard output, unless the table itself was written there. */
export async function printJson(io: Io, value: unknown, outputUri?: string): Promise<void> {
  if (outputUri === "-" && io.log !== undefined) {
    io.log({ level: "info", message: "What --json prints", event: "result", result: value });
    return;
  }
  await write(outputUri === "-" ? io.stderr : io.stdout, jsonLine(value));
}

/** Prints lines. */
export async function printLines(output: Output, lines: readonly string[]): Promise<void> {
  await write(output, lines.map((line) => `${line}\n`).join(""));
}

/** Prints warnings on standard error. */
export async function printWarnings(io: Io, warnings: readonly Warning[]): Promise<void> {
  if (warnings.length > 0)
    await printLines(
      io.stderr,
      warnings.flatMap((warning) => warningLines(io, warning)),
    );
}

/** A warning and its hint as lines for standard error. */
export function warningLines(io: Io, { message, hint }: Warning): readonly string[] {
  const { yellow } = colorsFor(io, io.stderr);
  return [`${yellow("warning:")} ${message}`, ...hintLines(io, io.stderr, hint)];
}

/** The line of a hint, where there is one. */
export function hintLines(io: Io, output: Output, hint: string | undefined, indent = ""): readonly string[] {
  return hint === undefined ? [] : [`${indent}${colorsFor(io, output).cyan("hint:")} ${hint}`];
}

/**
 * Prints a table with a bold head; on a terminal the last column is wrapped to what is left of the line.
 *
 * @param rows - cells as text; control characters are taken out, so a cell cannot move the cursor
 */
export async function printTable(
  io: Io,
  output: Output,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): Promise<void> {
  const { bold } = colorsFor(io, output);
  const clean = rows.map((row) => row.map(oneLine));
  const table = new Table({
    head: head.map(bold),
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
    chars: borderless,
    ...widths(output, head, clean),
  });
  table.push(...clean);
  const lines = table.toString().split("\n");
  await printLines(
    output,
    lines.map((line) => line.trimEnd()),
  );
}

/** Prints a table below an empty line; nothing when it has no rows. */
export async function printSection(
  io: Io,
  output: Output,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): Promise<void> {
  if (rows.length === 0) return;
  await printLines(output, [""]);
  await printTable(io, output, head, rows);
}

/** Facts with their labels, one a line; what is undefined is left out. */
export function factLines(facts: readonly (readonly [label: string, value: string | undefined])[]): readonly string[] {
  return facts.flatMap(([label, value]) => (value === undefined ? [] : [`${label.padEnd(16)}${value}`]));
}

const borderless = Object.fromEntries(
  "top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle"
    .split(" ")
    .map((part) => [part, ""]),
);

function widths(
  output: Output,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): { colWidths?: number[]; wordWrap?: boolean } {
  // A terminal that does not know its width has 0 columns.
  if (output.isTTY !== true || output.columns === undefined || output.columns === 0) return {};
  const natural = head.map((name, i) => 2 + Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const before = natural.slice(0, -1).reduce((sum, width) => sum + width, 0);
  const last = natural.at(-1) ?? 0;
  return {
    colWidths: [...natural.slice(0, -1), Math.max(Math.min(last, output.columns - before), 20)],
    wordWrap: true,
  };
}

/** Text without line breaks and control characters. */
export function oneLine(text: string): string {
  return printable(text.replace(/\s+/g, " "));
}

/** Text cut to a length, with an ellipsis. */
export function shorten(text: string, length: number): string {
  const line = oneLine(text);
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}

/** A moment for people, in UTC: `2025-10-18 05:30:00Z`. */
export function formatTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** A count with its noun: `1 row`, `2 rows`. */
export function count(many: number, noun: string): string {
  return `${many.toLocaleString("en-GB")} ${noun}${many === 1 ? "" : "s"}`;
}
