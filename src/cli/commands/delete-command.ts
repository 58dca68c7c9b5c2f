import { InvalidArgumentError, type Command } from "commander";
import type { DeletedRun } from "../../core/engine.ts";
import { RowcallError } from "../../core/errors.ts";
import type { Cli } from "../cli.ts";
import { findRun } from "../../app/find-run.ts";
import { declareEffects, needsEngine } from "../option-use.ts";
import { examples, jsonOption, runArgument } from "../options.ts";
import { count, formatTime, oneLine, printJson, printLines } from "../print/output.ts";

interface DeleteOptions {
  /** Milliseconds. */
  readonly olderThan?: number;
  readonly json?: true;
}

/** `rowcall delete`: deletes everything that is kept of runs. */
export function defineCommand(command: Command, cli: Cli): void {
  command
    .argument("[run...]", runArgument[1])
    .option("--older-than <age>", "all runs that ended longer ago than this: 30d, 12h", age)
    .addOption(jsonOption("what was deleted of each run, and what is left, as one JSON array"));
  examples(command, ["rowcall delete last", "rowcall delete monday tuesday --json", "rowcall delete --older-than 30d"]);
  const expiry = "the bucket deletes runs by their age, the deployment's runsExpiryDays";
  declareEffects(command, { "--older-than": [needsEngine("local", expiry)] });
  command.action(async (texts: readonly string[], { olderThan, json }: DeleteOptions) => {
    if (texts.length > 0 === (olderThan !== undefined)) {
      throw new RowcallError("USAGE_INVALID", "delete takes either runs or --older-than", {
        hint: "Name the runs, as in `rowcall delete last`, or their age: `rowcall delete --older-than 30d`.",
      });
    }
    await using engine = await cli.openEngine();
    const { services } = await cli.wire();
    const { runsDoneBefore } = await import("../../runs/old-runs.ts");
    const before = olderThan === undefined ? undefined : services.clock() - olderThan;
    const runs = before === undefined ? [] : [...(await runsDoneBefore(engine, before))];
    for (const text of texts) runs.push(await findRun(engine, text));
    const deleted = await engine.delete(runs.map(({ id }) => id));
    if (json === true) await printJson(cli.io, deleted);
    else await printLines(cli.io.stderr, deleted.flatMap(linesOf));
    if (before !== undefined && deleted.length === 0)
      await printLines(cli.io.stderr, [`No run ended before ${formatTime(before)}.`]);
  });
}

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** Milliseconds of an age as people write it: `90m`, `12h`, `30d`, `8w`. */
function age(text: string): number {
  const [, digits, unit] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  if (digits !== undefined) return Number(digits) * unitMs[unit as keyof typeof unitMs];
  throw new InvalidArgumentError("It must be a whole number with a unit: 90m, 12h, 30d or 8w.");
}

function linesOf({ id, name, rows, removed, left }: DeletedRun): readonly string[] {
  const called = name === undefined ? id : `${id} (${oneLine(name)})`;
  return [
    `Deleted run ${called} with ${count(rows, "row")}.`,
    ...removed.map((place) => `  removed: ${oneLine(place)}`),
    ...left.map(({ uri, why }) => `  left:    ${oneLine(uri)} (${why})`),
  ];
}
