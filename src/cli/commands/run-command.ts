import { Option, type Command } from "commander";
import { dispatches, type Dispatch } from "../../core/batch.ts";
import type { RowSelection } from "../../core/engine.ts";
import { addBatchOptions, batchArgument, readOverrides, type BatchOptions } from "./batch-options.ts";
import type { Cli } from "../cli.ts";
import { declareEffects, needsEngine, requireEffect, replacesFile } from "../option-use.ts";
import { examples, wholeNumber, parseRowSelection } from "../options.ts";
import { addWatchOptions, watchRun, type WatchOptions } from "./watch-run.ts";

interface RunOptions extends BatchOptions, WatchOptions {
  readonly name?: string;
  readonly limit?: number;
  readonly rows?: RowSelection;
  readonly force?: true;
  readonly dispatch?: Dispatch;
}

/** `rowcall run`: runs a batch to its end. */
export function defineCommand(command: Command, cli: Cli): void {
  addBatchOptions(command.argument(...batchArgument))
    .option("--name <name>", "makes the run idempotent: the same name again continues it, or shows it")
    .option("--rows <rows>", "only these rows, counted from 0: 3,7-9", parseRowSelection)
    .option("--limit <number>", "only the first N of the rows", wholeNumber(1))
    .addOption(
      new Option("--dispatch <where>", "where attempts are made: here, or by workers (see `rowcall worker`)").choices(
        dispatches,
      ),
    )
    .option("--force", "replace an output file that exists");
  addWatchOptions(command);
  declareEffects(command, {
    "--force": [replacesFile],
    "--dispatch": [needsEngine("local", "the deployment says who makes attempts")],
  });
  examples(command, [
    "rowcall run batch.json --input addresses.csv --output results/",
    "rowcall run batch.yaml --limit 10 --max-concurrency 2",
    "rowcall run batch.json --rows 3,7-9 --output - > part.csv",
    "rowcall run batch.json --name monday || rowcall rerun monday --failed",
    `rowcall run '{"config_s3_uri": "config.json", "input_csv_s3_uri": "rows.csv", "output_s3_prefix": "out/"}'`,
  ]);
  command.action(async (source: string, options: RunOptions) => {
    const { loadBatch } = await import("../../runs/load-batch.ts");
    const { services } = await cli.wire();
    const { name, limit, rows, force, dispatch } = options;
    const overrides = { ...(await readOverrides(options, cli.io)), dispatch };
    const batch = await loadBatch(services, source, overrides, ["input", "output"]);
    requireEffect(command, { engine: cli.engine, batch });
    await watchRun(cli, options, (engine, observer) => engine.start({ batch, name, limit, rows, force }, observer));
  });
}
