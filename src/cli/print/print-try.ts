import { stringify } from "yaml";
import { isJsonObject, replaceDigits, type JsonValue } from "../../core/json.ts";
import { rowAndLine } from "../../core/row.ts";
import type { TryResult } from "../../app/try-row.ts";
import { colorsFor, type Cli } from "../cli.ts";
import { formatDuration, hintLines, printLines, printTable } from "./output.ts";

const signs = { done: "✓", failed: "✗", skipped: "-" } as const;

/** Prints everything about a tried row for people on standard output. */
export async function printTry(cli: Cli, report: TryResult): Promise<void> {
  const { io } = cli;
  const { bold, green, red } = colorsFor(io, io.stdout);
  const { attempt, input, preview, reply } = report;
  const part = async (title: string, value: JsonValue | undefined): Promise<void> => {
    if (value !== undefined) await printLines(io.stdout, [bold(title), ...linesOf(value), ""]);
  };
  await printLines(io.stdout, [bold(`Row ${rowAndLine(report.row, report.line)}, agent ${report.agent}`), ""]);
  await part("Cells", report.cells);
  await part("Agent input", input);
  await part("What the agent does with it", preview === undefined ? undefined : withoutEmpty(preview));
  if (attempt.steps.length > 0) {
    const steps = attempt.steps.map(({ name, status, durationMs, detail = "" }) => [
      signs[status],
      formatDuration(durationMs),
      name,
      detail,
    ]);
    await printTable(io, io.stdout, ["", "Took", "Step", "Result"], steps);
    await printLines(io.stdout, [""]);
  }
  await part("Reply", reply);
  const { outcome } = attempt;
  if (outcome.status === "succeeded") await part("Extracted output", outcome.output);
  await printLines(io.stdout, [bold("Enriched row")]);
  const cells = report.enriched.map(({ column, value }) => [column, value]);
  await printTable(io, io.stdout, ["Column", "Value"], cells);
  await printLines(io.stdout, [""]);
  if (attempt.artifacts.length > 0)
    await printLines(io.stdout, [bold("Recordings"), ...attempt.artifacts.map(({ uri }) => `  ${uri}`), ""]);
  const took = formatDuration(attempt.endedAt - attempt.startedAt);
  if (outcome.status === "succeeded") return printLines(io.stdout, [green(`Succeeded in ${took}`)]);
  const failed = red(`Failed after ${took} with ${outcome.code}: ${outcome.message}`);
  return printLines(io.stdout, [failed, ...hintLines(io, io.stdout, outcome.hint)]);
}

// A script has many parts that may be empty, and mostly are.
function withoutEmpty(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => withoutEmpty(item));
  if (!isJsonObject(value)) return value;
  const isEmpty = (item: JsonValue): boolean =>
    typeof item === "object" && item !== null && Object.keys(item).length === 0;
  const kept = Object.entries(value).flatMap(([key, item]) =>
    item === undefined || isEmpty(item) ? [] : [[key, withoutEmpty(item)] as const],
  );
  return Object.fromEntries(kept);
}

function linesOf(value: JsonValue): string[] {
  return stringify(replaceDigits(value, String), { lineWidth: 0 })
    .trimEnd()
    .split("\n")
    .map((line) => `  ${line}`);
}
