import { InvalidArgumentError, type Command } from "commander";
import { addRowOptions, batchArgument, readOverrides, type BatchOptions } from "./batch-options.ts";
import type { Cli } from "../cli.ts";
import { hearInterrupts } from "../io.ts";
import { declareEffects } from "../option-use.ts";
import { examples, jsonOption, wholeNumber } from "../options.ts";
import { printJson } from "../print/output.ts";

interface TryOptions extends BatchOptions {
  readonly row?: number;
  readonly set?: Readonly<Record<string, string>>;
  readonly json?: true;
}

/** `rowcall try`: one row with everything shown. Exit code 3 when the row failed. */
export function defineCommand(command: Command, cli: Cli): void {
  addRowOptions(command.argument(...batchArgument))
    .option("--row <number>", "row of the input, counted from 0 (default: 0)", wholeNumber(0))
    .option("--set <column=value>", "cell of the row, may be repeated; without --row no input is needed", readCell)
    .addOption(jsonOption("everything about the row as one JSON object"));
  examples(command, [
    "rowcall try batch.json --input addresses.csv --row 3",
    'rowcall try batch.json --set building_number=23 --set "street=High Street" --set "postcode=SW1A 1AA"',
    "rowcall try batch.json --row 3 --set postcode=E84LX --recording video",
  ]);
  declareEffects(command, {
    "--input": [
      ({ isGiven }) =>
        isGiven("--set") && !isGiven("--row")
          ? { why: "with --set and without --row: the row is made of --set alone", remedy: "add --row 0" }
          : undefined,
    ],
  });
  command.action(async (source: string, options: TryOptions) => {
    const [{ loadBatch }, { tryRow }, { printTry }] = await Promise.all([
      import("../../runs/load-batch.ts"),
      import("../../app/try-row.ts"),
      import("../print/print-try.ts"),
    ]);
    const { services, recordingsPrefix } = await cli.wire();
    const batch = await loadBatch(services, source, await readOverrides(options, cli.io));
    const { row, set: cells, json } = options;
    using interrupts = hearInterrupts(cli.io);
    const { signal } = interrupts;
    const report = await tryRow(services, batch, { row, cells, recordingsPrefix, signal });
    await (json === true ? printJson(cli.io, report) : printTry(cli, report));
    cli.setExitCode(signal.aborted ? 130 : report.attempt.outcome.status === "succeeded" ? 0 : 3);
  });
}

function readCell(
  text: string,
  before: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const [, column, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (column === undefined || value === undefined) throw new InvalidArgumentError("Write it as column=value.");
  return { ...before, [column]: value };
}
