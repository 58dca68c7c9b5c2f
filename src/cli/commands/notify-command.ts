import type { Command } from "commander";
import type { RunEvent } from "../../core/engine.ts";
import type { Cli } from "../cli.ts";
import { findRun } from "../../app/find-run.ts";
import { examples, jsonOption, runArgument } from "../options.ts";
import type { Warning } from "../../core/errors.ts";
import { printJson, printLines, printTable, printWarnings } from "../print/output.ts";

interface NotifyOptions {
  readonly all?: true;
  readonly json?: true;
}

/** `rowcall notify`: sends the notifications of a run that have not arrived. Ends with 1 when one does not arrive again. */
export function defineCommand(command: Command, cli: Cli): void {
  command
    .argument(...runArgument)
    .option("--all", "also those that have arrived")
    .addOption(jsonOption("the state of each notification as one JSON array"));
  examples(command, ["rowcall notify last", "rowcall notify monday --all"]);
  command.action(async (text: string, { all, json }: NotifyOptions) => {
    const { io } = cli;
    await using engine = await cli.openEngine();
    const run = await findRun(engine, text);
    const warnings: Warning[] = [];
    const onEvent = (event: RunEvent): void => void (event.type === "warning" && warnings.push(event));
    const deliveries = await engine.notify(run.id, { all: all === true }, { onEvent });
    if (json === true) await printJson(io, deliveries);
    else if (deliveries.length === 0)
      await printLines(io.stderr, [`The batch sends no notification for a run with status ${run.status} (${run.id}).`]);
    else {
      const cells = deliveries.map(({ channel, kind, status, tries }) => [channel, kind, status, String(tries)]);
      await printTable(io, io.stdout, ["Channel", "About", "Status", "Tries"], cells);
    }
    for (const { channel, error } of deliveries)
      if (error !== undefined)
        warnings.push({ message: `The notification to ${channel} failed: ${error.message}`, hint: error.hint });
    await printWarnings(io, warnings);
    cli.setExitCode(deliveries.every(({ status }) => status === "delivered") ? 0 : 1);
  });
}
