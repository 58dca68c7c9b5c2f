import type { FailureSummary } from "../../core/engine.ts";
import type { Run } from "../../core/run.ts";
import { hasRecordings } from "../../runs/recordings-uri.ts";
import { colorsFor, type Cli } from "../cli.ts";
import { count, formatDuration, printLines, printTable, shorten } from "./output.ts";

/**
 * Says on standard error how a run ended and what can be done next.
 *
 * @param tookMs - undefined when nothing was run: the run had ended before
 */
export async function printReport(
  cli: Cli,
  run: Run,
  failures: readonly FailureSummary[],
  tookMs: number | undefined,
): Promise<void> {
  const { io } = cli;
  const { counts } = run;
  const ended = run.status === "succeeded" && counts.failed > 0 ? "finished" : run.status;
  const took =
    run.status === "running"
      ? goesOn(cli)
      : tookMs === undefined
        ? `had ${ended} already: no row was attempted`
        : `${ended} in ${formatDuration(tookMs)}`;
  const reason = run.reason === undefined || run.status === "interrupted" ? "" : `: ${run.reason}`;
  await printLines(io.stderr, ["", `${paint(cli, run)(`Run ${run.id} ${took}`)}${reason}`]);
  const pending = counts.pending + counts.inFlight;
  const parts = [
    `${counts.succeeded} succeeded`,
    `${counts.failed} failed`,
    ...(pending > 0 ? [`${pending} pending`] : []),
  ];
  await printLines(io.stderr, [`${count(counts.total, "row")}: ${parts.join(", ")}`]);
  if (failures.length > 0) {
    await printLines(io.stderr, [""]);
    await printTable(io, io.stderr, ["Failed with", "Rows", "For example"], failureRows(failures));
  }
  await printLines(io.stderr, ["", ...(await nextSteps(cli, run))]);
}

function goesOn(cli: Cli): string {
  return cli.engine() === "aws" ? "goes on on AWS" : "is running";
}

/** Failures as rows of a table: code, how many, the first one's message and hint. */
export function failureRows(failures: readonly FailureSummary[]): readonly (readonly string[])[] {
  return failures.map(({ code, count: many, row, message, hint }) => [
    code,
    String(many),
    `row ${row}: ${shorten(message, 160)}${hint === undefined ? "" : ` (${hint})`}`,
  ]);
}

function paint({ io }: Cli, { status, counts }: Run): (text: string) => string {
  const colors = colorsFor(io, io.stderr);
  if (status !== "succeeded") return colors.yellow;
  return counts.failed === 0 ? colors.green : colors.yellow;
}

/** Where things are and what a user may type next, one a line. */
export async function nextSteps(cli: Cli, run: Run): Promise<readonly string[]> {
  const { services } = await cli.wire();
  const canGoOn = run.status === "interrupted" || run.status === "stopped" || run.status === "failed";
  const steps: (readonly [string, string | undefined])[] = [
    ["Output", run.outputUri],
    ["Recordings", (await hasRecordings(services.store, run)) ? run.recordingsUri : undefined],
    ["Failed rows", run.counts.failed > 0 ? cli.suggestion(`rows ${run.id} --status failed`) : undefined],
    [
      "Try them again",
      run.counts.failed > 0 && run.status === "succeeded" ? cli.suggestion(`rerun ${run.id} --failed`) : undefined,
    ],
    ["Watch it", run.status === "running" && cli.engine() === "aws" ? cli.suggestion(`resume ${run.id}`) : undefined],
    ["Stop it", run.status === "running" && cli.engine() === "local" ? cli.suggestion(`stop ${run.id}`) : undefined],
    ["Go on", canGoOn ? cli.suggestion(`resume ${run.id}`) : undefined],
  ];
  return steps.filter(([, value]) => value !== undefined).map(([label, value]) => `${label.padEnd(16)}${value ?? ""}`);
}
