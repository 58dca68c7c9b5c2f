import type { Command } from "commander";
import { findRun } from "../../app/find-run.ts";
import { resumeRun } from "../../app/run-host.ts";
import type { Cli } from "../cli.ts";
import { examples, runArgument } from "../options.ts";
import { addWatchOptions, watchRun, type WatchOptions } from "./watch-run.ts";

/** `rowcall resume`: continues a run that was interrupted, stopped or paused. */
export function defineCommand(command: Command, cli: Cli): void {
  command.argument(...runArgument);
  addWatchOptions(command);
  examples(command, ["rowcall resume last", "rowcall resume monday --json"]);
  command.action(async (text: string, options: WatchOptions) => {
    await watchRun(cli, options, async (engine, observer) => resumeRun(engine, await findRun(engine, text), observer));
  });
}
