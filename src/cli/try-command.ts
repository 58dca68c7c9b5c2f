import { InvalidArgumentError, type Command } from "commander";
import type { NamedRow } from "../engines/pick-row.ts";
import type { Batch } from "../core/batch.ts";
import type { Services } from "../core/services.ts";
import { addRowOptions, batchArgument, readOverrides, type BatchOptions } from "./batch-options.ts";
import type { Cli } from "./cli.ts";
import { declareEffects } from "./option-use.ts";
import { examples, jsonOption, wholeNumber } from "./options.ts";
import { printJson } from "./output.ts";
import { recordingsName } from "./recordings-name.ts";

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
    const [{ loadBatch }, { recordingsUri }, { tryRow }, { printTry }] = await Promise.all([
      import("../engines/load-batch.ts"),
      import("../engines/recordings-uri.ts"),
      import("../engines/try-row.ts"),
      import("./print-try.ts"),
    ]);
    const { services, recordingsPrefix } = await cli.wire();
    const batch = await loadBatch(services, source, await readOverrides(options, cli.io));
    const row = await rowOf(services, batch, options);
    const interrupted = new AbortController();
    const ignore = cli.io.onInterrupt(() => (interrupted.signal.aborted ? cli.io.exit(130) : interrupted.abort()));
    try {
      const report = await tryRow(services, {
        batch,
        row,
        recordingsUri: recordingsUri(batch, recordingsPrefix, recordingsName("try", services.clock())),
        signal: interrupted.signal,
      });
      if (options.json === true) await printJson(cli.io, report);
      else await printTry(cli, report);
      cli.setExitCode(interrupted.signal.aborted ? 130 : report.attempt.outcome.status === "succeeded" ? 0 : 3);
    } finally {
      ignore();
    }
  });
}

async function rowOf(services: Services, batch: Batch, { row, set }: TryOptions): Promise<NamedRow> {
  const { makeRow, readRow, replaceCells } = await import("../engines/pick-row.ts");
  if (row === undefined && set !== undefined) return makeRow(batch, set);
  return replaceCells(await readRow(services, batch, row ?? 0), set ?? {});
}

function readCell(
  text: string,
  before: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const [, column, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (column === undefined || value === undefined) throw new InvalidArgumentError("Write it as column=value.");
  return { ...before, [column]: value };
}
