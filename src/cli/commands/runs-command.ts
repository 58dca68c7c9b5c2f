import type { Command } from "commander";
import { shownStatus, type Run } from "../../core/run.ts";
import type { Cli } from "../cli.ts";
import { examples, jsonOption, wholeNumber } from "../options.ts";
import { formatDuration, formatTime, printJson, printLines, printTable } from "../print/output.ts";

const head = ["Run", "Name", "Status", "Agent", "Rows", "Failed", "Started", "Took"];

/** `rowcall runs`: lists runs, newest first. */
export function defineCommand(command: Command, cli: Cli): void {
  command
    .option("--limit <number>", "only the newest N runs", wholeNumber(1))
    .addOption(jsonOption("the runs as one JSON array"));
  examples(command, ["rowcall runs", "rowcall runs --limit 1 --json"]);
  command.action(async ({ limit, json }: { readonly limit?: number; readonly json?: true }) => {
    const { io } = cli;
    await using engine = await cli.openEngine();
    const runs = await engine.list({ limit });
    if (json === true) await printJson(io, runs);
    else if (runs.length === 0)
      await printLines(io.stderr, [`No runs here yet. ${cli.suggestion("run BATCH")} starts one.`]);
    else await printTable(io, io.stdout, head, runs.map(cellsOf));
  });
}

function cellsOf(run: Run): string[] {
  const { id, name, reason, agent, counts, createdAt, endedAt } = run;
  const status = shownStatus(run);
  const done = counts.succeeded + counts.failed;
  return [
    id,
    name ?? "",
    // Of a deletion that was cut off, for instance: the run can only be deleted again.
    status === "interrupted" && reason !== undefined && reason !== "Interrupted" ? `${status}: ${reason}` : status,
    agent,
    done === counts.total ? String(done) : `${done}/${counts.total}`,
    String(counts.failed),
    formatTime(createdAt),
    endedAt === undefined ? "" : formatDuration(endedAt - createdAt),
  ];
}
