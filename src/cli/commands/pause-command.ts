import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { findRun, runArgument } from "./find-run.ts";
import { examples, jsonOption } from "../options.ts";
import { printJson, printLines } from "../print/output.ts";

interface PauseOptions {
  readonly json?: true;
}

/** `rowcall pause`: a run, in this or another process, starts no attempt; those under way finish. */
export function defineCommand(command: Command, cli: Cli): void {
  definePauseCommand(command, cli, true);
}

/** Defines `pause`, or its opposite. */
export function definePauseCommand(command: Command, cli: Cli, paused: boolean): void {
  command.argument(...runArgument).addOption(jsonOption("the limits that hold now as one JSON object"));
  examples(command, paused ? ["rowcall pause last"] : ["rowcall unpause last"]);
  command.action(async (text: string, { json }: PauseOptions) => {
    const engine = await cli.openEngine();
    try {
      const { id, status } = await findRun(engine, text);
      const limits = await engine.adjust(id, { paused });
      if (json === true) await printJson(cli.io, limits);
      const when = status === "running" ? "within a second" : "when it is resumed";
      const what = paused
        ? `starts no attempt ${when}; those under way finish. ${cli.suggestion(`unpause ${id}`)} lets it go on.`
        : `is no longer paused${status === "running" ? "" : `; it goes on ${when}`}.`;
      await printLines(cli.io.stderr, [`Run ${id} ${what}`]);
    } finally {
      await engine.close();
    }
  });
}
