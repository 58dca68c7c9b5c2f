import { InvalidArgumentError, type Command } from "commander";
import type { RunLimits } from "../../core/engine.ts";
import { RowcallError } from "../../core/errors.ts";
import type { Cli } from "../cli.ts";
import { findRun } from "../../app/find-run.ts";
import { examples, jsonOption, numberFromZero, runArgument, wholeNumber } from "../options.ts";
import { printJson, printLines } from "../print/output.ts";

interface UpdateOptions extends Partial<RunLimits> {
  readonly json?: true;
}

/** `rowcall update`: changes limits of a run, in this or another process, while it goes. */
export function defineCommand(command: Command, cli: Cli): void {
  command
    .argument(...runArgument)
    .option("--max-concurrency <number>", "rows in flight at once", wholeNumber(1))
    .option("--tolerated-failure-percentage <number>", "stop when more of the rows fail than this", percentage)
    .option("--tolerated-failure-count <number>", "stop when more rows fail than this", wholeNumber(0))
    .addOption(jsonOption("the limits that hold now as one JSON object"));
  examples(command, [
    "rowcall update last --max-concurrency 20",
    "rowcall update monday --tolerated-failure-percentage 10",
  ]);
  command.action(async (text: string, { json, ...change }: UpdateOptions) => {
    if (Object.keys(change).length === 0) {
      throw new RowcallError("USAGE_INVALID", "update does not know what to change", {
        hint: "Add --max-concurrency, --tolerated-failure-percentage or --tolerated-failure-count.",
      });
    }
    await using engine = await cli.openEngine();
    const run = await findRun(engine, text);
    const limits = await engine.adjust(run.id, change);
    if (json === true) await printJson(cli.io, limits);
    const when = run.status === "running" ? "within 1 s" : "when the run is resumed";
    await printLines(cli.io.stderr, [`Run ${run.id}: ${sentence(limits)}. Takes effect ${when}.`]);
  });
}

function percentage(text: string): number {
  const value = numberFromZero(text);
  if (value <= 100) return value;
  throw new InvalidArgumentError("It must be a number from 0 to 100.");
}

function sentence({ maxConcurrency, toleratedFailurePercentage, toleratedFailureCount }: RunLimits): string {
  return [
    `${maxConcurrency} rows at once`,
    ...(toleratedFailurePercentage === undefined ? [] : [`${toleratedFailurePercentage} % of the rows may fail`]),
    ...(toleratedFailureCount === undefined ? [] : [`${toleratedFailureCount} rows may fail`]),
  ].join(", ");
}
