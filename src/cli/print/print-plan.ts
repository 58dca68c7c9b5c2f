import { describeCost, describeSeconds, type Estimate } from "../../app/estimate.ts";
import type { Plan } from "../../app/plan.ts";
import { checkLines, countChecks } from "../commands/checks.ts";
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
  await printLines(io.stdout, [bold(`Plan of ${source}, agent ${plan.agent}`), "", ...checkLines(io, plan.checks), ""]);
  await printSample(io, plan);
  await printInvalid(io, plan);
  await printDuplicates(io, plan);
  await printEstimate(io);
  await printLines(io.stdout, [
    "",
    plan.runnable
      ? green(`The batch can run: ${countChecks(plan.checks)}.`)
      : red(`The batch cannot run: ${countChecks(plan.checks)}.`),
  ]);
}

async function printUsualEstimate(io: Io, { estimate }: Plan): Promise<void> {
  const { bold } = colorsFor(io, io.stdout);
  await printLines(io.stdout, [
    `${bold("Estimate")}  ${count(estimate.rows, "row")} at a concurrency of ${estimate.concurrency}: ${describeSeconds(estimate.seconds)}, ${describeCost(estimate.costUsd)}`,
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
    estimates.slice(0, 1).map(({ basis }) => `Reckoned with ${basis}, and no row tried twice.`),
  );
}

async function printSample(io: Io, { sample, outputColumns }: Plan): Promise<void> {
  const { bold } = colorsFor(io, io.stdout);
  if (sample.length > 0) {
    await printTable(
      io,
      io.stdout,
      ["Row", "Line", "Agent input"],
      sample.map(({ row, line, input }) => [String(row), String(line), shorten(JSON.stringify(input), 1000)]),
    );
    await printLines(io.stdout, [""]);
  }
  await printLines(io.stdout, [`${bold("Output columns")}  ${oneLine(outputColumns.join(", "))}`, ""]);
}

async function printInvalid(io: Io, { invalid, rows }: Plan): Promise<void> {
  if (invalid.count === 0) return;
  const { bold } = colorsFor(io, io.stdout);
  await printLines(io.stdout, [bold(`Invalid rows: ${invalid.count} of ${rows}${shownOf(invalid)}`)]);
  await printTable(
    io,
    io.stdout,
    ["Line", "Row", "Code", "What"],
    invalid.first.map(({ line, row, code, message }) => [String(line), String(row), code, message]),
  );
  await printLines(io.stdout, [""]);
}

async function printDuplicates(io: Io, { duplicates }: Plan): Promise<void> {
  if (duplicates.count === 0) return;
  const { bold } = colorsFor(io, io.stdout);
  const limits = duplicates.isComplete ? "" : "; the table has more rows than are compared, so there may be others";
  await printLines(io.stdout, [bold(`Duplicate rows: ${duplicates.count}${shownOf(duplicates)}${limits}`)]);
  await printTable(
    io,
    io.stdout,
    ["Line", "Row", "Same as row"],
    duplicates.first.map(({ line, row, sameAs }) => [String(line), String(row), String(sameAs)]),
  );
  await printLines(io.stdout, [""]);
}

function shownOf({ count: all, first }: { readonly count: number; readonly first: readonly unknown[] }): string {
  return first.length < all ? `, the first ${first.length}` : "";
}
