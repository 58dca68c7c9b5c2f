import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { findRun } from "../../app/find-run.ts";
import { runArgument } from "./run-argument.ts";
import { examples, jsonOption } from "../options.ts";
import { printJson, printLines } from "../print/output.ts";

/** `rowcall stop`: asks a run, in this or another process, to drain and stop. */
export function defineCommand(command: Command, cli: Cli): void {
  command.argument(...runArgument).addOption(jsonOption("the run as one JSON object"));
  examples(command, ["rowcall stop last", "rowcall stop monday"]);
  command.action(async (text: string, options: { readonly json?: true }) => {
    const engine = await cli.openEngine();
    try {
      const { id, status: before } = await findRun(engine, text);
      const run = await engine.stop(id);
      if (options.json === true) await printJson(cli.io, run);
      const told =
        run.status === "running"
          ? `Run ${id} was asked to stop: its rows in flight finish first. ${cli.suggestion(`resume ${id}`)} goes on.`
          : before === "running"
            ? `Run ${id} was stopped at once: rows in flight were cut off. ${cli.suggestion(`resume ${id}`)} goes on, ` +
              `${cli.suggestion(`export ${id}`)} --output PLACE writes what there is.`
            : `Run ${id} is not going: its status is ${run.status}.`;
      await printLines(cli.io.stderr, [told]);
    } finally {
      await engine.close();
    }
  });
}
