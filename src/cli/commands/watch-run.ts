import type { Command } from "commander";
import type { Engine, RunEvent, RunObserver } from "../../core/engine.ts";
import type { Run } from "../../core/run.ts";
import { failuresOf } from "../../app/find-run.ts";
import type { Cli } from "../cli.ts";
import { RowcallError, type Warning } from "../../core/errors.ts";
import { drainingNote, hearInterrupts, isReaderGone, write, type EndSignal } from "../io.ts";
import { logEnd, logRun } from "../print/log-run.ts";
import { declareEffects, excludes } from "../option-use.ts";
import { jsonOption } from "../options.ts";
import { printJson, printLines, warningLines } from "../print/output.ts";
import { describeStart, openProgress, type ProgressStyle } from "../print/progress.ts";
import { printReport } from "../print/run-report.ts";

/** How much a command that runs rows says. */
export interface WatchOptions {
  /** One JSON object of the run on standard output rather than the output's URI. */
  readonly json?: boolean;
  /** No progress and no table at the end; warnings and errors remain. */
  readonly quiet?: boolean;
  /** False for no progress. @default true */
  readonly progress?: boolean;
}

/** Adds the options of a command that runs rows. */
export function addWatchOptions(command: Command): Command {
  command
    .addOption(jsonOption("the run as one JSON object, in place of the output's URI"))
    .option("-q, --quiet", "print only warnings and errors")
    .option("--no-progress", "show no progress");
  return declareEffects(command, { "--no-progress": [excludes("--quiet", "it shows none either")] });
}

/**
 * Runs rows under the user's eyes: progress while they go, a table at the end, the output's URI on standard output. The first
 * interrupt drains, the second ends the process. Sets the exit code.
 */
export async function watchRun(
  cli: Cli,
  options: WatchOptions,
  work: (engine: Engine, observer: RunObserver) => Promise<Run>,
): Promise<void> {
  const { io } = cli;
  await using engine = await cli.openEngine();
  const startedAt = performance.now();
  const { run, ran, warnings } = await observe(cli, options, (observer) => work(engine, observer));
  // On AWS an interrupt may come before there is anything to watch.
  if (run.status === "running" && !ran && cli.engine() === "local") {
    if (options.json === true) await printJson(io, run);
    if (options.quiet !== true) await printLines(io.stderr, [`Run ${run.id} continues in the process that has it.`]);
    return;
  }
  const failures = run.status === "running" ? [] : await failuresOf(engine, run);
  const tookMs = ran ? Math.round(performance.now() - startedAt) : undefined;
  if (options.quiet !== true) {
    if (io.log === undefined) await printReport(cli, run, failures, tookMs);
    else logEnd(io.log, run, tookMs);
  }
  cli.setExitCode(exitCodeOf(run));
  if (options.json === true) await printJson(io, { ...run, failures, warnings }, run.outputUri);
  else if (run.outputUri !== undefined && run.outputUri !== "-" && run.status !== "interrupted")
    await write(io.stdout, `${run.outputUri}\n`);
}

/** Exit code of a command that ran rows. */
function exitCodeOf({ status, counts }: Run): number {
  if (status === "succeeded") return counts.failed > 0 ? 3 : 0;
  // It goes on elsewhere: it is the watching that was interrupted.
  return { stopped: 4, interrupted: 130, failed: 1, running: 130 }[status];
}

interface Watched {
  readonly run: Run;
  /** Whether rows were run, rather than a finished run shown. */
  readonly ran: boolean;
  readonly warnings: readonly Warning[];
}

async function observe(
  cli: Cli,
  options: WatchOptions,
  work: (observer: RunObserver) => Promise<Run>,
): Promise<Watched> {
  const { io } = cli;
  const progress = await openProgress(io, styleOf(cli, options));
  const warnings: Warning[] = [];
  let started: Run | undefined;
  const show = (event: RunEvent): void => {
    if (event.type === "warning") for (const line of warningLines(io, event)) progress.say(line);
    if (event.type === "notice" && options.quiet !== true) progress.say(event.message);
    if (event.type === "started" && options.quiet !== true) progress.say(describeStart(event.run));
    if (event.type === "started" || event.type === "progress") progress.update(event.run);
  };
  const tell = io.log === undefined ? show : logRun(io.log, { ...options, monotonic: () => performance.now() });
  const onEvent = (event: RunEvent): void => {
    if (event.type === "started") started = event.run;
    if (event.type === "warning") warnings.push({ message: event.message, hint: event.hint });
    tell(event);
  };
  const onInterrupt = (signal: EndSignal): void =>
    progress.say(
      cli.engine() === "aws" ? `${signal}: the run continues on AWS, without being watched.` : drainingNote(signal),
    );
  using interrupts = hearInterrupts(io, onInterrupt, progress.stop);
  try {
    return { run: await work({ drain: interrupts.signal, onEvent }), ran: started !== undefined, warnings };
  } catch (error) {
    progress.stop();
    if (started !== undefined)
      progress.say(
        `Run ${started.id} stopped with an error; what is done is kept. ${cli.suggestion(`resume ${started.id}`)} continues it, ` +
          `${cli.suggestion(`export ${started.id}`)} --output PLACE writes what there is.`,
      );
    // The table itself did not get through: the run is not done.
    throw isReaderGone(error) ? new RowcallError(error.code, error.message, { hint: error.hint, cause: error }) : error;
  } finally {
    progress.stop();
  }
}

function styleOf({ io }: Cli, { quiet, progress }: WatchOptions): ProgressStyle {
  if (quiet === true || progress === false || io.log !== undefined) return "none";
  return io.stderr.isTTY === true && io.env["TERM"] !== "dumb" ? "bar" : "lines";
}
