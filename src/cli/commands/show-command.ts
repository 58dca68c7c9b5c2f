import type { Command } from "commander";
import type { Delivery } from "../../core/channel.ts";
import type { RunSurvey } from "../../core/engine.ts";
import type { Run } from "../../core/run.ts";
import { colorsFor, type Cli } from "../cli.ts";
import { findRun } from "../../app/find-run.ts";
import { examples, jsonOption, runArgument } from "../options.ts";
import {
  factLines,
  formatDuration,
  formatTime,
  printJson,
  printLines,
  printSection,
  shorten,
} from "../print/output.ts";
import { describeWaiting } from "../print/progress.ts";
import { nextSteps, printFailures, statusOf } from "../print/run-report.ts";

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
  command.action(async (text: string, { json }: { readonly json?: true }) => {
    await using engine = await cli.openEngine();
    const run = await findRun(engine, text);
    const { failures, slowest, workers: shares } = await engine.survey(run.id);
    const deliveries = (await engine.deliveries?.(run.id)) ?? [];
    const found = { failures, slowest: slowest.slice(0, slowestShown), shares, deliveries };
    await (json === true ? printJson(cli.io, { ...run, ...found }) : printRun(cli, run, found));
  });
}

interface Found extends Pick<RunSurvey, "failures" | "slowest"> {
  readonly shares: RunSurvey["workers"];
  readonly deliveries: readonly Delivery[];
}

async function printRun(cli: Cli, run: Run, { failures, slowest, shares, deliveries }: Found): Promise<void> {
  const { io } = cli;
  const { id, counts, createdAt, endedAt, waiting, workers } = run;
  await printLines(io.stdout, [
    colorsFor(io, io.stdout).bold(`Run ${id}`),
    ...factLines([
      ["Name", run.name],
      ["Status", statusOf(run)],
      ["Agent", run.agent],
      ["Input", run.inputUri],
      ["Started", formatTime(createdAt)],
      [
        "Ended",
        endedAt === undefined ? undefined : `${formatTime(endedAt)}, after ${formatDuration(endedAt - createdAt)}`,
      ],
      [
        "Rows",
        `${counts.total}: ${counts.succeeded} succeeded, ${counts.failed} failed, ${counts.inFlight} in flight, ${counts.pending} pending`,
      ],
      ["Waiting", waiting && describeWaiting(waiting, createdAt)],
      ["Workers", workers === undefined ? undefined : `${workers} online`],
    ]),
    ...(await nextSteps(cli, run)),
  ]);
  await printFailures(io, io.stdout, failures);
  await printSection(
    io,
    io.stdout,
    ["Slowest row", "Attempts", "Took"],
    slowest.map(({ row, attempts, durationMs }) => [String(row), String(attempts), formatDuration(durationMs)]),
  );
  await printSection(
    io,
    io.stdout,
    ["Worker", "Attempts", "Lost"],
    shares.map(({ worker, attempts, lost }) => [worker, String(attempts), String(lost)]),
  );
  await printSection(
    io,
    io.stdout,
    ["Channel", "About", "Status", "Tries", "Last try"],
    deliveries.map(({ channel, kind, status, tries, triedAt, error }) => [
      channel,
      kind,
      error === undefined ? status : `${status}: ${shorten(error.message, 160)}`,
      String(tries),
      formatTime(triedAt),
    ]),
  );
}
