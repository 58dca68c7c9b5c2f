import type { FailureSummary } from "../../core/engine.ts";
import { rowAndLine } from "../../core/row.ts";
import { shownStatus, type Run } from "../../core/run.ts";
import { hasRecordings } from "../../runs/recordings-uri.ts";
import { colorsFor, type Cli } from "../cli.ts";
import type { Io, Output } from "../io.ts";
import { count, factLines, formatDuration, printLines, printSection, shorten } from "./output.ts";

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
  const { status, counts, reason } = run;
  const { green, yellow } = colorsFor(io, io.stderr);
  const ended = status === "succeeded" && counts.failed > 0 ? "finished" : status;
  const took =
    status === "running"
      ? goesOn(cli)
      : tookMs === undefined
        ? `had already ${ended}: no row was attempted`
        : `${ended} in ${formatDuration(tookMs)}`;
  const paint = status === "succeeded" && counts.failed === 0 ? green : yellow;
  const pending = counts.pending + counts.inFlight;
  const parts = [
    `${counts.succeeded} succeeded`,
    `${counts.failed} failed`,
    ...(pending > 0 ? [`${pending} pending`] : []),
  ];
  await printLines(io.stderr, [
    "",
    `${paint(`Run ${run.id} ${took}`)}${reason === undefined || status === "interrupted" ? "" : `: ${reason}`}`,
    `${count(counts.total, "row")}: ${parts.join(", ")}`,
  ]);
  await printFailures(io, io.stderr, failures);
  await printLines(io.stderr, ["", ...(await nextSteps(cli, run))]);
}

function goesOn(cli: Cli): string {
  return cli.engine() === "aws" ? "continues on AWS" : "is running";
}

/** How a run stands, with the reason where there is one. */
export function statusOf(run: Pick<Run, "status" | "paused" | "reason">): string {
  const status = shownStatus(run);
  return run.reason === undefined ? status : `${status}: ${run.reason}`;
}

/** Prints failures as a table: code, how many, the first one's message and hint. */
export function printFailures(io: Io, output: Output, failures: readonly FailureSummary[]): Promise<void> {
  const cells = failures.map(({ code, count: many, row, line, message, hint }) => [
    code,
    String(many),
    `row ${rowAndLine(row, line)}: ${shorten(message, 160)}${hint === undefined ? "" : ` (${hint})`}`,
  ]);
  return printSection(io, output, ["Failed with", "Rows", "For example"], cells);
}

/** Where things are and what a user may type next, one a line. */
export async function nextSteps(cli: Cli, run: Run): Promise<readonly string[]> {
  const { id, status, counts } = run;
  const { services } = await cli.wire();
  const engine = cli.engine();
  return factLines([
    ["Output", run.outputUri],
    ["Recordings", (await hasRecordings(services.store, run)) ? run.recordingsUri : undefined],
    ["Failed rows", counts.failed > 0 ? cli.suggestion(`rows ${id} --status failed`) : undefined],
    [
      "Try them again",
      counts.failed > 0 && status === "succeeded" ? cli.suggestion(`rerun ${id} --failed`) : undefined,
    ],
    ["Watch it", status === "running" && engine === "aws" ? cli.suggestion(`resume ${id}`) : undefined],
    ["Stop it", status === "running" && engine === "local" ? cli.suggestion(`stop ${id}`) : undefined],
    ["Resume it", status === "running" || status === "succeeded" ? undefined : cli.suggestion(`resume ${id}`)],
  ]);
}
