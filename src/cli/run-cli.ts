import { Command, CommanderError } from "commander";
import { RowcallError } from "../core/errors.ts";
import { colorsFor, createCli, hasColors, type GlobalOptions } from "./cli.ts";
import { packageVersion } from "../app/package-version.ts";
import { commands } from "./commands.ts";
import { declareEffects, effectOf, requireEffect } from "./option-use.ts";
import { examples, globalEffects, globalOptions } from "./options.ts";
import { isReaderGone, type Io } from "./io.ts";
import { withLog } from "./print/json-log.ts";
import { reportError } from "./print/report-error.ts";
import { withTerminal } from "./print/terminal.ts";

/**
 * Runs the command line.
 *
 * @param args - what follows `rowcall`
 * @returns exit code: 0 done, 1 unexpected, 2 bad usage or configuration, 3 finished with failed rows, 4 stopped by a
 * limit or on request, 130 interrupted
 */
export async function runCli(args: readonly string[], processIo: Io): Promise<number> {
  let exitCode = 0;
  let io = withTerminal(processIo);
  try {
    io = withLog(io, Date.now);
    const program = createProgram(io, (code) => (exitCode = code));
    await program.parseAsync(helpArguments(args), { from: "user" });
    return exitCode;
  } catch (thrown) {
    // What closing finds wrong after an error is a consequence of it.
    const error: unknown = thrown instanceof SuppressedError ? thrown.suppressed : thrown;
    const known = error instanceof CommanderError ? usageError(error, args) : error;
    if (known === undefined) return error instanceof CommanderError && error.code === "commander.help" ? 2 : 0;
    // A reader that has seen enough is no error.
    if (isReaderGone(known)) return exitCode;
    return await reportError(known, io, args.includes("--json"));
  }
}

/** The whole tree of commands, each command's own options being added when it is called. */
export function createProgram(io: Io, setExitCode: (code: number) => void): Command {
  const program = new Command("rowcall");
  const cli = createCli(io, () => program.opts<GlobalOptions>(), setExitCode);
  const title = (text: string): string => colorsFor(io, io.stdout).bold(text);
  program
    .description("Run an agent once for every row of a CSV and write the CSV back, enriched.")
    .version(packageVersion(), "--version", "show the version")
    .helpOption("-h, --help", "show help")
    .helpCommand(false)
    .exitOverride()
    .configureHelp({
      showGlobalOptions: true,
      styleTitle: title,
      // Options that have no effect at a command are not in its help.
      visibleGlobalOptions: (command) =>
        command === program ? [] : program.options.filter((option) => !("why" in effectOf(command, option))),
    })
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: () => {},
      getOutHelpWidth: () => io.stdout.columns || 100,
      getErrHelpWidth: () => io.stderr.columns || 100,
      getOutHasColors: () => hasColors(io.env, io.stdout),
      getErrHasColors: () => hasColors(io.env, io.stderr),
    });
  for (const option of globalOptions()) program.addOption(option);
  examples(program, [
    "rowcall plan batch.json",
    "rowcall run batch.json --input addresses.csv --output results/",
    "rowcall rows last --status failed",
  ]);
  for (const { name, was, summary, group, uses } of commands) {
    declareEffects(program.command(name).description(summary).helpGroup(group), globalEffects(name, uses));
    if (was !== undefined)
      declareEffects(program.command(was, { hidden: true }).description(summary), globalEffects(name, uses));
  }
  program.hook("preSubcommand", async (_program, command) => {
    const called = command.name();
    const entry = commands.find(({ name, was }) => name === called || was === called);
    (await entry?.load())?.defineCommand(command, cli);
    if (entry?.was === called) io.stderr.write(`"rowcall ${called}" is now "rowcall ${entry.name}".\n`);
  });
  program.hook("preAction", (_program, command) => requireEffect(command, cli));
  return program;
}

function helpArguments(args: readonly string[]): readonly string[] {
  return args[0] === "help" ? [...args.slice(1), "--help"] : args;
}

// Help and version are thrown too; they are no errors.
function usageError(error: CommanderError, args: readonly string[]): RowcallError | undefined {
  if (["commander.helpDisplayed", "commander.help", "commander.version"].includes(error.code)) return undefined;
  const [message = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  const called = args.find((arg) => commands.some(({ name }) => name === arg));
  const help =
    called === undefined
      ? "`rowcall --help` lists the commands."
      : `\`rowcall ${called} --help\` lists its options, with examples.`;
  return new RowcallError("USAGE_INVALID", message, {
    hint: suggestion?.replace(/^\((.*)\)$/, "$1") ?? help,
    cause: error,
  });
}
