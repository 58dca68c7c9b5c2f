import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { findRun, runArgument } from "./find-run.ts";
import { examples } from "../options.ts";
import { printJson, printLines } from "../print/output.ts";
import { addWatchOptions, watchRun, type WatchOptions } from "./watch-run.ts";

/** `rowcall resume`: goes on with a run that was interrupted or stopped, and lets a paused one start rows again. */
export function defineCommand(command: Command, cli: Cli): void {
  command.argument(...runArgument);
  addWatchOptions(command);
  examples(command, ["rowcall resume last", "rowcall resume monday --json"]);
  command.action(async (text: string, options: WatchOptions) => {
    if (await unpause(cli, text, options)) return;
    await watchRun(cli, options, async (engine, observer) => engine.resume((await findRun(engine, text)).id, observer));
  });
}

/**
 * Takes back the pause of a run.
 *
 * @returns whether nothing else is to be done: a process has the run, and goes on with it
 */
async function unpause(cli: Cli, text: string, { json, quiet }: WatchOptions): Promise<boolean> {
  const engine = await cli.openEngine();
  try {
    const { id, status } = await findRun(engine, text);
    if ((await engine.limits(id)).paused !== true) return false;
    await engine.adjust(id, { paused: false });
    if (status !== "running") return false;
    if (json === true) await printJson(cli.io, await engine.describe(id));
    if (quiet !== true) await printLines(cli.io.stderr, [`Run ${id} goes on in the process that has it.`]);
    return true;
  } finally {
    await engine.close();
  }
}
