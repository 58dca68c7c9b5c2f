import type { Command } from "commander";
import { RowcallError, isErrorCode, type ErrorCode } from "../../core/errors.ts";
import type { RowSelection } from "../../core/engine.ts";
import type { Cli } from "../cli.ts";
import { failuresOf, findRun } from "../../app/find-run.ts";
import { examples, listOf, parseRowSelection, runArgument } from "../options.ts";
import { addWatchOptions, watchRun, type WatchOptions } from "./watch-run.ts";

interface RerunOptions extends WatchOptions {
  readonly failed?: true;
  readonly code?: readonly string[];
  readonly rows?: RowSelection;
}

/** `rowcall rerun`: attempts failed rows again and writes the whole table again. */
export function defineCommand(command: Command, cli: Cli): void {
  command
    .argument(...runArgument)
    .option("--failed", "the rows that failed")
    .option("--code <code>", "only rows that failed with this error code; may be repeated", listOf)
    .option("--rows <rows>", "only those of these rows that failed, counted from 0: 3,7-9", parseRowSelection);
  addWatchOptions(command);
  examples(command, [
    "rowcall rerun last --failed",
    "rowcall rerun last --failed --code TIMEOUT --code HTTP_UNAVAILABLE",
    "rowcall rerun last --rows 3,7-9",
  ]);
  command.action(async (text: string, options: RerunOptions) => {
    if (options.failed === undefined && options.code === undefined && options.rows === undefined) {
      throw await undecided(cli, text);
    }
    const codes = options.code && (await readCodes(options.code));
    await watchRun(cli, options, async (engine, observer) =>
      engine.rerun((await findRun(engine, text)).id, { codes, rows: options.rows }, observer),
    );
  });
}

/** What could be attempted again, for who has not said it. */
async function undecided(cli: Cli, text: string): Promise<RowcallError> {
  await using engine = await cli.openEngine();
  const run = await findRun(engine, text);
  const failures = await failuresOf(engine, run);
  const codes = failures.map(({ code, count }) => `${code} (${count})`).join(", ");
  return new RowcallError(
    "USAGE_INVALID",
    failures.length === 0
      ? `No row of run ${run.id} failed: there is nothing to attempt again`
      : `Say which of the ${run.counts.failed} failed rows to attempt again: ${codes}`,
    { hint: "Add --failed for all of them, --code CODE for those that failed with it, or --rows 3,7-9." },
  );
}

/**
 * Error codes as a user wrote them.
 *
 * @throws RowcallError USAGE_INVALID for one that there is not
 */
export async function readCodes(texts: readonly string[]): Promise<readonly ErrorCode[]> {
  const codes = texts.map((text) => text.toUpperCase());
  const unknown = codes.find((code) => !isErrorCode(code));
  if (unknown === undefined) return codes.filter(isErrorCode);
  const { nearest } = await import("../../core/schema.ts");
  const { errorTable } = await import("../../core/errors.ts");
  const near = nearest(unknown, Object.keys(errorTable));
  throw new RowcallError("USAGE_INVALID", `There is no error code "${unknown}"`, {
    hint: near === undefined ? "`rowcall show RUN` lists the codes of its failures." : `Did you mean ${near}?`,
  });
}
