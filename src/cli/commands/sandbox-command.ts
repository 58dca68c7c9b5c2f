import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import process from "node:process";
import type { Command } from "commander";
import { colorsFor, type Cli } from "../cli.ts";
import { hearInterrupts } from "../io.ts";
import { allowModuleOption, examples, wholeNumber } from "../options.ts";
import { printLines } from "../print/output.ts";
import type { Sandbox } from "../sandbox/open-sandbox.ts";

interface SandboxOptions {
  readonly exec?: string;
  readonly concurrency: number;
  readonly allowModule: readonly string[];
}

/** `rowcall sandbox`: AWS as batches see it, on this machine and for as long as it runs. */
export function defineCommand(command: Command, cli: Cli): void {
  command
    .option("--exec <command>", "run a shell command in the sandbox's environment and end with its status")
    .option("--concurrency <number>", "rows that the sandbox's worker has in flight at once", wholeNumber(1), 2)
    .addOption(allowModuleOption());
  examples(command, [
    "rowcall sandbox",
    "rowcall sandbox --exec 'aws s3 ls'",
    "rowcall sandbox --exec 'rowcall agents list'",
    "rowcall sandbox --data-dir kept",
  ]);
  command.action(async ({ exec, concurrency, allowModule }: SandboxOptions) => {
    const { io } = cli;
    using interrupts = hearInterrupts(io);
    await printLines(io.stderr, ["Starting S3, SNS, SQS, DynamoDB, Step Functions, a checker's replica and a worker…"]);
    const { openSandbox } = await import("../sandbox/open-sandbox.ts");
    const { dataDir } = cli.globals();
    const sandbox = await openSandbox({ io, concurrency, allowedModules: allowModule, dataDirectory: dataDir });
    try {
      if (exec === undefined) {
        await describe(cli, sandbox);
        await interrupts.first;
        cli.setExitCode(130);
      } else cli.setExitCode(await run(exec, sandbox));
    } finally {
      await sandbox.close();
    }
  });
}

// A command that is interrupted hears of it itself: it shares the terminal.
async function run(script: string, { env }: Sandbox): Promise<number> {
  const child = spawn(script, { env: { ...env }, shell: true, stdio: "inherit" });
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

async function describe({ io }: Cli, { exports, steps, facts }: Sandbox): Promise<void> {
  const { bold, dim } = colorsFor(io, io.stdout);
  await printLines(io.stdout, [
    bold("The sandbox is up. In another terminal:"),
    "",
    ...Object.entries(exports).map(([name, value]) => `export ${name}='${value}'`),
    "",
    ...steps.flatMap(({ title, script }, i) => [bold(`# Step ${i + 1}: ${title}`), script, ""]),
    bold("What it holds:"),
    ...Object.entries(facts).map(([what, value]) => `  ${what.padEnd(18)}${value}`),
    "",
    dim(
      `Press Ctrl-C to end all of it. ${process.platform === "win32" ? "The steps are for a shell such as bash." : ""}`.trim(),
    ),
  ]);
}
