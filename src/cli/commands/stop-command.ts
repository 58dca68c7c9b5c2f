import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { findRun } from "../../app/find-run.ts";
import { examples, jsonOption, runArgument } from "../options.ts";
import { printJson, printLines } from "../print/output.ts";

/** `rowcall stop`: asks a run, in this or another process, to drain and stop. */
export function defineCommand(command: Command, cli: Cli): void {
  command.argument(...runArgument).addOption(jsonOption("the run as one JSON object"));
  examples(command, ["rowcall stop last", "rowcall stop monday"]);
  command.action(async (text: string, { json }: { readonly json?: true }) => {
    await using engine = await cli.openEngine();
    const { id, status: before } = await findRun(engine, text);
    const run = await engine.stop(id);
    if (json === true) await printJson(cli.io, run);
    const told =
      run.status === "running"
        ? `Run ${id} was asked to stop: its rows in flight finish first. ${cli.suggestion(`resume ${id}`)} continues it.`
        : before === "running"
          ? `Run ${id} was stopped at once: rows in flight were cut off. ${cli.suggestion(`resume ${id}`)} continues it, ` +
            `${cli.suggestion(`export ${id}`)} --output PLACE writes what there is.`
          : `Run ${id} is not running: its status is ${run.status}.`;
    await printLines(cli.io.stderr, [told]);
  });
}
