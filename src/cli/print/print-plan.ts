import { describeCost, describeEstimate, describeSeconds, type Estimate } from "../../app/estimate.ts";
import type { Plan } from "../../app/plan.ts";
import { checkLines, countChecks } from "./print-checks.ts";
import { colorsFor, type Cli } from "../cli.ts";
import type { Io } from "../io.ts";
import { count, oneLine, printLines, printTable, shorten } from "./output.ts";

/**
 * Prints a plan for people on standard output.
 *
 * @param printEstimate - prints what the run takes in place of the usual estimate
 */
export async function printPlan(
  cli: Cli,
  plan: Plan,
  source: string,
  printEstimate: (io: Io) => Promise<void> = (to) => printUsualEstimate(to, plan),
): Promise<void> {
  const { io } = cli;
  const { bold, green, red } = colorsFor(io, io.stdout);
  const { sample, outputColumns, invalid, duplicates } = plan;
  const part = async (title: string | undefined, head: readonly string[], rows: readonly string[][]): Promise<void> => {
    if (rows.length === 0) return;
    if (title !== undefined) await printLines(io.stdout, [bold(title)]);
    await printTable(io, io.stdout, head, rows);
    await printLines(io.stdout, [""]);
  };
  await printLines(io.stdout, [bold(`Plan of ${source}, agent ${plan.agent}`), "", ...checkLines(io, plan.checks), ""]);
  await part(
    undefined,
    ["Row", "Line", "Agent input"],
    sample.map(({ row, line, input }) => [String(row), String(line), shorten(JSON.stringify(input), 1000)]),
  );
  await printLines(io.stdout, [`${bold("Output columns")}  ${oneLine(outputColumns.join(", "))}`, ""]);
  await part(
    `Invalid rows: ${invalid.count} of ${plan.rows}${shownOf(invalid)}`,
    ["Line", "Row", "Code", "What"],
    invalid.first.map(({ line, row, code, message }) => [String(line), String(row), code, message]),
  );
  const limits = duplicates.isComplete ? "" : "; the table has more rows than are compared, so there may be others";
  await part(
    `Duplicate rows: ${duplicates.count}${shownOf(duplicates)}${limits}`,
    ["Line", "Row", "Same as row"],
    duplicates.first.map(({ line, row, sameAs }) => [String(line), String(row), String(sameAs)]),
  );
  await printEstimate(io);
  const can = plan.runnable ? green("The batch can run") : red("The batch cannot run");
  await printLines(io.stdout, ["", `${can}: ${countChecks(plan.checks)}.`]);
}

async function printUsualEstimate(io: Io, { estimate }: Plan): Promise<void> {
  const { bold } = colorsFor(io, io.stdout);
  await printLines(io.stdout, [
    `${bold("Estimate")}  ${count(estimate.rows, "row")} at a concurrency of ${estimate.concurrency}: ${describeEstimate(estimate)}`,
    `          ${estimate.basis}`,
  ]);
}

/** Prints estimates as a table: rows, concurrency, duration, cost. */
export async function printEstimates(io: Io, estimates: readonly Estimate[]): Promise<void> {
  await printTable(
    io,
    io.stdout,
    ["Rows", "Concurrency", "Est. Duration", "Cost Estimate"],
    estimates.map(({ rows, concurrency, seconds, costUsd }) => [
      String(rows),
      String(concurrency),
      describeSeconds(seconds),
      describeCost(costUsd),
    ]),
  );
  await printLines(
    io.stderr,
    estimates.slice(0, 1).map(({ basis }) => `Estimate assumes ${basis} and no retries.`),
  );
}

function shownOf({ count: all, first }: { readonly count: number; readonly first: readonly unknown[] }): string {
  return first.length < all ? `, the first ${first.length}` : "";
}
