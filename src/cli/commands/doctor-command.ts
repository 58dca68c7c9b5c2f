import type { Command } from "commander";
import { colorsFor, type Cli } from "../cli.ts";
import { chosenProcessor } from "../engine-choice.ts";
import { examples, jsonOption } from "../options.ts";
import { printJson, printLines } from "../print/output.ts";
import { checkLines, countChecks } from "../print/print-checks.ts";

/** `rowcall doctor`: checks that this machine can run batches. Exit code 2 when something failed. */
export function defineCommand(command: Command, cli: Cli): void {
  command.addOption(jsonOption("the checks as one JSON object"));
  examples(command, ["rowcall doctor", "rowcall doctor --json", "rowcall doctor --chromium /usr/bin/chromium"]);
  command.action(async ({ json }: { readonly json?: true }) => {
    const { io } = cli;
    const { makeChecks } = await import("../doctor/checks.ts");
    const processor = () => chosenProcessor(cli.globals(), io.env);
    const checks = await makeChecks({ wiring: await cli.wire(), processor }, cli.engine());
    const healthy = checks.every(({ status }) => status !== "failed");
    cli.setExitCode(healthy ? 0 : 2);
    if (json === true) return printJson(io, { healthy, checks });
    const { green, red } = colorsFor(io, io.stdout);
    const summary = countChecks(checks);
    const verdict = healthy ? green(`Ready: ${summary}.`) : red(`Not ready: ${summary}.`);
    return printLines(io.stdout, [...checkLines(io, checks), "", verdict]);
  });
}
