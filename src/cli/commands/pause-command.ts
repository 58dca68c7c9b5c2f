import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { findRun } from "../../app/find-run.ts";
import { examples, jsonOption, runArgument } from "../options.ts";
import { printJson, printLines } from "../print/output.ts";

/** `rowcall pause`: a run, in this or another process, starts no attempt; rows in flight finish. */
export function defineCommand(command: Command, cli: Cli): void {
  command.argument(...runArgument).addOption(jsonOption("the limits that hold now as one JSON object"));
  examples(command, ["rowcall pause last"]);
  command.action(async (text: string, { json }: { readonly json?: true }) => {
    await using engine = await cli.openEngine();
    const { id, status } = await findRun(engine, text);
    const limits = await engine.adjust(id, { paused: true });
    if (json === true) await printJson(cli.io, limits);
    const what =
      status === "running" ? "starts no row from now on; rows in flight finish" : "is paused; no process is running it";
    await printLines(cli.io.stderr, [`Run ${id} ${what}. ${cli.suggestion(`resume ${id}`)} continues it.`]);
  });
}
