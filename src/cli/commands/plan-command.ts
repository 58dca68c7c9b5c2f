import { Option, type Command } from "commander";
import type { RowSelection } from "../../core/engine.ts";
import { RowcallError } from "../../core/errors.ts";
import type { Batch } from "../../core/batch.ts";
import type { BrowserHostName } from "../../engines/aws/transitions.ts";
import type { Plan, PlanOptions } from "../../app/plan.ts";
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
    .option("--limit <number>", "only the first so many of the rows", wholeNumber(1))
    .option("--force", "an output file that exists may be replaced")
    .option("--sample <number>", "mapped inputs to show (default: 3)", wholeNumber(0))
    .option("--seconds-per-row <seconds>", "what a row takes, for the estimate", positiveNumber)
    .option("--cost-per-row <dollars>", "what a row costs, for the estimate", numberFromZero)
    .option("--probe", "also run the first valid row, to see that the agent returns structured output")
    .option(
      "--table [rows]",
      "only print what so many rows would take (default: 10,100,1000, on AWS also 100000,1000000), no batch needed",
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
  const [{ loadBatchParts }, { planBatch }, { recordingsOf }, { browserChecks }, { printPlan }, { invalid }] =
    await Promise.all([
      import("../../runs/load-batch.ts"),
      import("../../app/plan.ts"),
      import("../../app/try-row.ts"),
      import("../browser-checks.ts"),
      import("../print/print-plan.ts"),
      import("../../core/schema.ts"),
    ]);
  const { services, host, dataDirectory, recordingsPrefix } = await cli.wire();
  const { data: batch, problems, what } = await loadBatchParts(services, source, await readOverrides(options, cli.io));
  if (batch === undefined) throw invalid("BATCH_INVALID", what, problems);
  requireEffect(command, { engine: cli.engine, batch });
  const agent = await services.registry.agents.resolve(batch.agent).catch(() => undefined);
  const planned = await planBatch(services, batch, {
    ...choiceOf(options),
    fileProblems: problems,
    extraChecks: browserChecks({ services, host }),
    figures: await figuresOf(cli, options, dataDirectory, agent && `${agent.agent_name}@${agent.version}`),
    ...(options.probe === undefined
      ? {}
      : { probe: { recordingsUri: recordingsOf("plan", services, batch, recordingsPrefix) } }),
  });
  if (cli.engine() === "aws") return planForAws(cli, source, options, batch, planned);
  if (options.json === true) await printJson(cli.io, planned);
  else await printPlan(cli, planned, source);
  cli.setExitCode(planned.runnable ? 0 : 2);
}

async function planForAws(
  cli: Cli,
  source: string,
  { browserHost, json }: PlanCommandOptions,
  batch: Batch,
  planned: Plan,
): Promise<void> {
  const [{ planOnAws }, { printPlan }, { printAwsEstimate }] = await Promise.all([
    import("../../app/aws-plan.ts"),
    import("../print/print-plan.ts"),
    import("../print/print-aws-cost.ts"),
  ]);
  const { services, host, recordingsPrefix } = await cli.wire();
  const { region = "eu-west-1" } = host.aws;
  const onAws = await planOnAws(services, batch, planned, { recordingsPrefix, region, browserHost });
  if (json === true) await printJson(cli.io, onAws);
  else await printPlan(cli, onAws, source, (io) => printAwsEstimate(io, onAws));
  cli.setExitCode(onAws.runnable ? 0 : 2);
}

function choiceOf({ rows, limit, force, sample }: PlanCommandOptions): PlanOptions {
  return {
    ...(rows === undefined ? {} : { rows }),
    ...(limit === undefined ? {} : { limit }),
    ...(force === undefined ? {} : { force }),
    ...(sample === undefined ? {} : { sampleSize: sample }),
  };
}

async function figuresOf(
  cli: Cli,
  options: PlanCommandOptions,
  dataDirectory: string,
  agent: string | undefined,
): Promise<NonNullable<PlanOptions["figures"]>> {
  const { measureEarlierRows } = await import("./measure-rows.ts");
  const { secondsPerRow, costPerRow } = options;
  const measured = agent === undefined ? undefined : await measureEarlierRows(cli, dataDirectory, agent);
  return {
    given: {
      ...(secondsPerRow === undefined ? {} : { secondsPerRow }),
      ...(costPerRow === undefined ? {} : { costPerRowUsd: costPerRow }),
    },
    ...(measured === undefined ? {} : { measured }),
  };
}

function readRows(text: string): number {
  const rows = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(rows)) return rows;
  throw new RowcallError("USAGE_INVALID", `"${text}" is no number of rows`, { hint: "Write --table 500,5000." });
}

async function printThroughput(cli: Cli, source: string | undefined, options: PlanCommandOptions): Promise<void> {
  if (source !== undefined) {
    throw new RowcallError("USAGE_INVALID", "--table reckons without a batch", {
      hint: "Leave out the batch, or --table: the plan of a batch has its own estimate.",
    });
  }
  if (cli.engine() === "aws") return printAwsThroughput(cli, options);
  const [{ estimateRun, exampleFigures }, { printEstimates }] = await Promise.all([
    import("../../app/estimate.ts"),
    import("../print/print-plan.ts"),
  ]);
  const figures = {
    ...exampleFigures,
    ...(options.secondsPerRow === undefined ? {} : { secondsPerRow: options.secondsPerRow }),
    ...(options.costPerRow === undefined ? {} : { costPerRowUsd: options.costPerRow }),
  };
  const rows =
    options.table === true || options.table === undefined ? exampleFigures.rows : options.table.map(readRows);
  const concurrency = options.maxConcurrency ?? exampleFigures.concurrency;
  const { secondsPerRow, costPerRowUsd } = figures;
  const basis = `${secondsPerRow} s and $${costPerRowUsd} per row`;
  const estimates = rows.map((many) => estimateRun(many, concurrency, { secondsPerRow, costPerRowUsd, basis }));
  if (options.json === true) await printJson(cli.io, estimates);
  else await printEstimates(cli.io, estimates);
}

const awsTable = { rows: [10, 100, 1000, 100_000, 1_000_000], concurrency: 100 } as const;

async function printAwsThroughput(cli: Cli, options: PlanCommandOptions): Promise<void> {
  const [{ costOfRun }, { exampleFigures }, { printAwsCosts, printPriceBasis }] = await Promise.all([
    import("../../engines/aws/cost.ts"),
    import("../../app/estimate.ts"),
    import("../print/print-aws-cost.ts"),
  ]);
  const { table, browserHost, costPerRow, secondsPerRow = exampleFigures.secondsPerRow } = options;
  const rows = table === true || table === undefined ? awsTable.rows : table.map(readRows);
  const costs = rows.map((many) =>
    costOfRun({
      rows: many,
      concurrency: options.maxConcurrency ?? awsTable.concurrency,
      secondsPerRow,
      browserHost,
      ...(costPerRow === undefined ? {} : { agentCostUsd: costPerRow }),
    }),
  );
  if (options.json === true) return printJson(cli.io, costs);
  await printAwsCosts(cli.io, costs);
  await printPriceBasis(cli.io.stderr, `${secondsPerRow} s per row`);
}
