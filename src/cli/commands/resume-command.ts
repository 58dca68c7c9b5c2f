import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { findRun, runArgument } from "./find-run.ts";
import { examples } from "../options.ts";
import { addWatchOptions, watchRun, type WatchOptions } from "./watch-run.ts";

/** `rowcall resume`: goes on with a run that was interrupted or stopped. */
export function defineCommand(command: Command, cli: Cli): void {
  command.argument(...runArgument);
  addWatchOptions(command);
  examples(command, ["rowcall resume last", "rowcall resume monday --json"]);
  command.action(async (text: string, options: WatchOptions) => {
    await watchRun(cli, options, async (engine, observer) => engine.resume((await findRun(engine, text)).id, observer));
  });
}
