import { Option, type Command } from "commander";
import type { RowSelection } from "../../core/engine.ts";
import { RowcallError } from "../../core/errors.ts";
import type { BrowserHostName } from "../../engines/aws/cost.ts";
import type { PlanRequest } from "../../app/make-plan.ts";
import { addBatchOptions, batchArgument, readOverrides, type BatchOptions } from "./batch-options.ts";
import type { Cli } from "../cli.ts";
import { declareEffects, excludes, needsEngine, requireEffect, replacesFile } from "../option-use.ts";
import {
  examples,
  jsonOption,
  listOf,
  numberFromZero,
  positiveNumber,
  wholeNumber,
  parseRowSelection,
} from "../options.ts";
import { printJson } from "../print/output.ts";

interface PlanCommandOptions extends BatchOptions {
  readonly rows?: RowSelection;
  readonly limit?: number;
  readonly force?: true;
  readonly sample?: number;
  readonly secondsPerRow?: number;
  readonly costPerRow?: number;
  readonly probe?: true;
  readonly table?: true | readonly string[];
  readonly browserHost: BrowserHostName;
  readonly json?: true;
}

/** `rowcall plan`: everything short of running. Exit code 2 when the batch cannot run. */
export function defineCommand(command: Command, cli: Cli): void {
  addBatchOptions(command.argument("[batch]", batchArgument[1]))
    .option("--rows <rows>", "only these rows, counted from 0: 3,7-9", parseRowSelection)
    .option("--limit <number>", "only the first N of the rows", wholeNumber(1))
    .option("--force", "an output file that exists may be replaced")
    .option("--sample <number>", "mapped inputs to show (default: 3)", wholeNumber(0))
    .option("--seconds-per-row <seconds>", "what a row takes, for the estimate", positiveNumber)
    .option("--cost-per-row <dollars>", "what a row costs, for the estimate", numberFromZero)
    .option("--probe", "also run the first valid row, to see that the agent returns structured output")
    .option(
      "--table [rows]",
      "only print what this many rows would take (default: 10,100,1000, on AWS also 100000,1000000), no batch needed",
      listOf,
    )
    .addOption(
      new Option("--browser-host <name>", "on AWS, who runs browsers: workers, or a function")
        .choices(["fleet", "lambda"])
        .default("fleet"),
    )
    .addOption(jsonOption("the plan as one JSON object"));
  examples(command, [
    "rowcall plan batch.json --input addresses.csv --output results/",
    "rowcall plan batch.json --probe --json",
    "rowcall plan batch.json --engine aws",
    "rowcall plan --table",
    "rowcall plan --table --engine aws --max-concurrency 1000",
    "rowcall plan --table 500,5000 --max-concurrency 20 --seconds-per-row 8 --cost-per-row 0.002",
  ]);
  const ofBatch = excludes("--table", "it takes no batch");
  declareEffects(command, {
    ...Object.fromEntries(
      [
        "--input",
        "--output",
        "--timeout-seconds",
        "--agent-config",
        "--recording",
        "--rows",
        "--limit",
        "--sample",
      ].map((flag) => [flag, [ofBatch]]),
    ),
    "--force": [ofBatch, replacesFile],
    "--probe": [
      ofBatch,
      ({ value }) => (value("--sample") === 0 ? { why: "with --sample 0", remedy: "ask for a sample" } : undefined),
    ],
    "--browser-host": [needsEngine("aws")],
  });
  command.action(async (source: string | undefined, options: PlanCommandOptions) => {
    if (options.table !== undefined) return printThroughput(cli, source, options);
    if (source !== undefined) return plan(cli, command, source, options);
    throw new RowcallError("USAGE_INVALID", "There is no batch to plan", {
      hint: "Name a batch file, or ask for --table.",
    });
  });
}

async function plan(cli: Cli, command: Command, source: string, options: PlanCommandOptions): Promise<void> {
  const [{ loadBatchParts }, { makePlan }, { printPlan }, { printAwsEstimate }] = await Promise.all([
    import("../../runs/load-batch.ts"),
    import("../../app/make-plan.ts"),
    import("../print/print-plan.ts"),
    import("../print/print-aws-cost.ts"),
  ]);
  const wiring = await cli.wire();
  const read = await loadBatchParts(wiring.services, source, await readOverrides(options, cli.io));
  if (read.data !== undefined) requireEffect(command, { engine: cli.engine, batch: read.data });
  const planned = await makePlan(wiring, read, requestOf(cli, options));
  if (options.json === true) await printJson(cli.io, planned);
  else await printPlan(cli, planned, source, "aws" in planned ? (io) => printAwsEstimate(io, planned) : undefined);
  cli.setExitCode(planned.runnable ? 0 : 2);
}

function requestOf(cli: Cli, options: PlanCommandOptions): PlanRequest {
  const { rows, limit, force, sample, secondsPerRow, costPerRow, probe, browserHost } = options;
  return {
    rows,
    limit,
    force,
    sampleSize: sample,
    given: { secondsPerRow, costPerRowUsd: costPerRow },
    probe,
    aws: cli.engine() === "aws" ? { browserHost } : undefined,
  };
}

async function printThroughput(cli: Cli, source: string | undefined, options: PlanCommandOptions): Promise<void> {
  if (source !== undefined) {
    throw new RowcallError("USAGE_INVALID", "--table takes no batch", {
      hint: "Leave out the batch, or --table: the plan of a batch has its own estimate.",
    });
  }
  if (cli.engine() === "aws") return printAwsThroughput(cli, options);
  const [{ estimateRun, exampleFigures }, { printEstimates }] = await Promise.all([
    import("../../app/estimate.ts"),
    import("../print/print-plan.ts"),
  ]);
  const {
    maxConcurrency = exampleFigures.concurrency,
    secondsPerRow = exampleFigures.secondsPerRow,
    costPerRow: costPerRowUsd = exampleFigures.costPerRowUsd,
  } = options;
  const figures = { secondsPerRow, costPerRowUsd, basis: `${secondsPerRow} s and $${costPerRowUsd} per row` };
  const rows = rowsOf(options, exampleFigures.rows);
  const estimates = rows.map((many) => estimateRun(many, maxConcurrency, figures));
  if (options.json === true) await printJson(cli.io, estimates);
  else await printEstimates(cli.io, estimates);
}

async function printAwsThroughput(cli: Cli, options: PlanCommandOptions): Promise<void> {
  const [{ costOfRun }, { exampleFigures }, { printAwsCosts, printPriceBasis }] = await Promise.all([
    import("../../engines/aws/cost.ts"),
    import("../../app/estimate.ts"),
    import("../print/print-aws-cost.ts"),
  ]);
  const {
    maxConcurrency: concurrency = 100,
    secondsPerRow = exampleFigures.secondsPerRow,
    costPerRow: agentCostUsd = 0,
    browserHost,
  } = options;
  const costs = rowsOf(options, [10, 100, 1000, 100_000, 1_000_000]).map((rows) =>
    costOfRun({ rows, concurrency, secondsPerRow, browserHost, agentCostUsd }),
  );
  if (options.json === true) return printJson(cli.io, costs);
  await printAwsCosts(cli.io, costs);
  await printPriceBasis(cli.io.stderr, `${secondsPerRow} s per row`);
}

function rowsOf({ table }: PlanCommandOptions, usual: readonly number[]): readonly number[] {
  if (table === true || table === undefined) return usual;
  return table.map((text) => {
    const rows = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(rows)) return rows;
    throw new RowcallError("USAGE_INVALID", `"${text}" is not a number of rows`, { hint: "Write --table 500,5000." });
  });
}
