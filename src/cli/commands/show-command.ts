import type { Command } from "commander";
import type { Delivery } from "../../core/channel.ts";
import type { FailureSummary, RunSurvey } from "../../core/engine.ts";
import type { Run } from "../../core/run.ts";
import { colorsFor, type Cli } from "../cli.ts";
import { failuresOf, findRun } from "../../app/find-run.ts";
import { runArgument } from "./run-argument.ts";
import { examples, jsonOption } from "../options.ts";
import { formatDuration, formatTime, printJson, printLines, printTable, shorten } from "../print/output.ts";
import { describeWaiting } from "../print/progress.ts";
import { failureRows, nextSteps } from "../print/run-report.ts";

const slowestShown = 5;

/** `rowcall show`: what there is to know about a run. */
export function defineCommand(command: Command, cli: Cli): void {
  command
    .argument(...runArgument)
    .addOption(
      jsonOption(
        "the run, its failures by code, its slowest rows, its workers' shares and its notifications as one JSON object",
      ),
    );
  examples(command, ["rowcall show last", "rowcall show 20251018-0530", "rowcall show monday --json"]);
  command.action(async (text: string, options: { readonly json?: true }) => {
    const engine = await cli.openEngine();
    try {
      const run = await findRun(engine, text);
      const failures = await failuresOf(engine, run);
      const { slowest, workers: shares } = await engine.survey(run.id);
      const slow = slowest.slice(0, slowestShown);
      const deliveries = await engine.deliveries(run.id);
      if (options.json === true) await printJson(cli.io, { ...run, failures, slowest: slow, shares, deliveries });
      else await printRun(cli, run, failures, slow, shares, deliveries);
    } finally {
      await engine.close();
    }
  });
}

async function printRun(
  cli: Cli,
  run: Run,
  failures: readonly FailureSummary[],
  slow: RunSurvey["slowest"],
  shares: RunSurvey["workers"],
  deliveries: readonly Delivery[],
): Promise<void> {
  const { io } = cli;
  const { bold } = colorsFor(io, io.stdout);
  const { counts } = run;
  const facts: (readonly [string, string | undefined])[] = [
    ["Name", run.name],
    ["Status", run.reason === undefined ? run.status : `${run.status}: ${run.reason}`],
    ["Agent", run.agent],
    ["Input", run.inputUri],
    ["Started", formatTime(run.createdAt)],
    [
      "Ended",
      run.endedAt === undefined
        ? undefined
        : `${formatTime(run.endedAt)}, after ${formatDuration(run.endedAt - run.createdAt)}`,
    ],
    [
      "Rows",
      `${counts.total}: ${counts.succeeded} succeeded, ${counts.failed} failed, ${counts.inFlight} in flight, ${counts.pending} pending`,
    ],
    ["Waiting", run.waiting && describeWaiting(run.waiting, run.createdAt)],
    ["Workers", run.workers === undefined ? undefined : `${run.workers} on line`],
  ];
  const lines = facts
    .filter(([, value]) => value !== undefined)
    .map(([label, value]) => `${label.padEnd(16)}${value ?? ""}`);
  await printLines(io.stdout, [bold(`Run ${run.id}`), ...lines, ...(await nextSteps(cli, run))]);
  if (failures.length > 0) {
    await printLines(io.stdout, [""]);
    await printTable(io, io.stdout, ["Failed with", "Rows", "For example"], failureRows(failures));
  }
  if (slow.length > 0) {
    await printLines(io.stdout, [""]);
    const cells = slow.map(({ row, attempts, durationMs }) => [
      String(row),
      String(attempts),
      formatDuration(durationMs),
    ]);
    await printTable(io, io.stdout, ["Slowest row", "Attempts", "Took"], cells);
  }
  if (shares.length > 0) {
    await printLines(io.stdout, [""]);
    const cells = shares.map(({ worker, attempts, lost }) => [worker, String(attempts), String(lost)]);
    await printTable(io, io.stdout, ["Worker", "Attempts", "Lost"], cells);
  }
  if (deliveries.length > 0) {
    await printLines(io.stdout, [""]);
    const cells = deliveries.map(({ channel, kind, status, tries, triedAt, error }) => [
      channel,
      kind,
      error === undefined ? status : `${status}: ${shorten(error.message, 160)}`,
      String(tries),
      formatTime(triedAt),
    ]);
    await printTable(io, io.stdout, ["Told", "Of", "Status", "Tries", "Last try"], cells);
  }
}
