import { Option, type Command } from "commander";
import type { RowReport, RowStatus } from "../../core/engine.ts";
import type { Cli } from "../cli.ts";
import { findRun } from "../../app/find-run.ts";
import { declareEffects } from "../option-use.ts";
import { examples, jsonOption, runArgument, wholeNumber } from "../options.ts";
import { formatDuration, formatTime, printJson, printLines, printTable, shorten } from "../print/output.ts";
import { readCodes } from "./rerun-command.ts";

interface RowsOptions {
  readonly status?: RowStatus;
  readonly code?: string;
  readonly limit?: number;
  readonly json?: true;
}

const statuses = ["pending", "in_flight", "succeeded", "failed"] satisfies RowStatus[];
const tableLimit = 100;

/** `rowcall rows`: lists a run's rows with their attempts. */
export function defineCommand(command: Command, cli: Cli): void {
  command
    .argument(...runArgument)
    .addOption(new Option("--status <status>", "only rows with this status").choices(statuses))
    .option("--code <code>", "only rows that failed with this error code")
    .option(
      "--limit <number>",
      `only the first N rows (default: ${tableLimit} in a table, all with --json)`,
      wholeNumber(1),
    )
    .addOption(jsonOption("every row with all its attempts, as JSON Lines"));
  examples(command, ["rowcall rows last --status failed", "rowcall rows last --code TIMEOUT --json | jq .row"]);
  declareEffects(command, {
    "--code": [
      ({ value }) => {
        const status = value("--status") as RowStatus | undefined;
        return status === undefined || status === "failed"
          ? undefined
          : { why: `with --status ${status}: only failed rows have a code`, remedy: "leave --status out" };
      },
    ],
  });
  command.action(async (text: string, { status, code: given, limit, json }: RowsOptions) => {
    await using engine = await cli.openEngine();
    const { id } = await findRun(engine, text);
    const [code] = given === undefined ? [] : await readCodes([given]);
    const rows = engine.rows(id, { status, code });
    await (json === true ? printAll(cli, rows, limit) : printFirst(cli, rows, limit ?? tableLimit));
  });
}

async function printAll({ io }: Cli, rows: AsyncIterable<RowReport>, limit = Number.POSITIVE_INFINITY): Promise<void> {
  let printed = 0;
  for await (const row of rows) {
    await printJson(io, row);
    printed += 1;
    if (printed >= limit) break;
  }
}

async function printFirst({ io }: Cli, rows: AsyncIterable<RowReport>, limit: number): Promise<void> {
  const shown: RowReport[] = [];
  let more = false;
  for await (const row of rows) {
    more = shown.length === limit;
    if (more) break;
    shown.push(row);
  }
  if (shown.length === 0) return printLines(io.stderr, ["No rows match."]);
  const byWorkers = shown.some(({ attempts }) => attempts.some(({ worker }) => worker !== undefined));
  const head = ["Row", "Line", "Status", "Attempts", "Took", ...(byWorkers ? ["Worker"] : []), "Result"];
  const cells = shown.map((row) => cellsOf(row, byWorkers));
  await printTable(io, io.stdout, head, cells);
  if (more) await printLines(io.stderr, [`These are the first ${limit} rows; --limit shows more, --json all.`]);
}

function cellsOf(report: RowReport, byWorkers: boolean): string[] {
  const { row, line, status, attempts } = report;
  const last = attempts.at(-1);
  const took = last === undefined ? "" : formatDuration(last.endedAt - last.startedAt);
  const worker = byWorkers ? [last?.worker ?? ""] : [];
  return [String(row), String(line), status, String(attempts.length), took, ...worker, shorten(resultOf(report), 120)];
}

function resultOf({ status, cells, attempts, sameAs, waitingUntil }: RowReport): string {
  if (sameAs !== undefined) return `same as row ${sameAs}`;
  const outcome = attempts.at(-1)?.outcome;
  if (status === "failed" && outcome?.status === "failed") return `${outcome.code}: ${outcome.message}`;
  if (status === "succeeded" && outcome?.status === "succeeded") return JSON.stringify(outcome.output);
  if (status === "pending" && outcome?.status === "failed")
    return `${waitingUntil === undefined ? "to be tried again" : `waiting until ${formatTime(waitingUntil)}`} after ${outcome.code}: ${outcome.message}`;
  return Object.values(cells).join(", ");
}
