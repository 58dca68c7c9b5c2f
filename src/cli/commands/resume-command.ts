import type { Command } from "commander";
import { findRun } from "../../app/find-run.ts";
import { resumeRun } from "../../app/run-host.ts";
import type { Cli } from "../cli.ts";
import { runArgument } from "./run-argument.ts";
import { examples } from "../options.ts";
import { addWatchOptions, watchRun, type WatchOptions } from "./watch-run.ts";

/** `rowcall resume`: goes on with a run that was interrupted or stopped, and lets a paused one start rows again. */
export function defineCommand(command: Command, cli: Cli): void {
  command.argument(...runArgument);
  addWatchOptions(command);
  examples(command, ["rowcall resume last", "rowcall resume monday --json"]);
  command.action(async (text: string, options: WatchOptions) => {
    await watchRun(cli, options, async (engine, observer) => resumeRun(engine, await findRun(engine, text), observer));
  });
}
