import type { Command } from "commander";
import type { Delivery } from "../../core/channel.ts";
import type { RunEvent } from "../../core/engine.ts";
import type { Cli } from "../cli.ts";
import { findRun } from "../../app/find-run.ts";
import { runArgument } from "./run-argument.ts";
import { examples, jsonOption } from "../options.ts";
import { printJson, printLines, printTable, warningLines } from "../print/output.ts";

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
    const engine = await cli.openEngine();
    try {
      const run = await findRun(engine, text);
      const warnings: { readonly message: string; readonly hint?: string }[] = [];
      const onEvent = (event: RunEvent): void => void (event.type === "warning" && warnings.push(event));
      const deliveries = await engine.notify(run.id, { all: all === true }, { onEvent });
      if (json === true) await printJson(io, deliveries);
      else if (deliveries.length === 0)
        await printLines(io.stderr, [`The batch sends no notification for a run that is ${run.status} (${run.id}).`]);
      else await printTable(io, io.stdout, ["Told", "Of", "Status", "Tries"], deliveries.map(cellsOf));
      await printLines(io.stderr, warningLines(io, [...warnings, ...deliveries.flatMap(failureOf)]));
      cli.setExitCode(deliveries.every(({ status }) => status === "delivered") ? 0 : 1);
    } finally {
      await engine.close();
    }
  });
}

function cellsOf({ channel, kind, status, tries }: Delivery): string[] {
  return [channel, kind, status, String(tries)];
}

function failureOf({ channel, error }: Delivery): { message: string; hint?: string }[] {
  if (error === undefined) return [];
  const { message, hint } = error;
  return [{ message: `The notification to ${channel} failed: ${message}`, ...(hint === undefined ? {} : { hint }) }];
}
