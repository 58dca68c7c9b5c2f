import { mkdtemp, rm, stat, statfs, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import type { Command } from "commander";
import type { Wiring } from "../../app/wire.ts";
import { checkLines, countChecks, type ShownCheck } from "./checks.ts";
import { colorsFor, type Cli } from "../cli.ts";
import { chosenProcessor } from "../engine-choice.ts";
import { examples, jsonOption } from "../options.ts";
import { printJson, printLines } from "../print/output.ts";

/** `rowcall doctor`: checks that this machine can run batches. Exit code 2 when something failed. */
export function defineCommand(command: Command, cli: Cli): void {
  command.addOption(jsonOption("the checks as one JSON object"));
  examples(command, ["rowcall doctor", "rowcall doctor --json", "rowcall doctor --chromium /usr/bin/chromium"]);
  command.action(async (options: { readonly json?: true }) => {
    const { io } = cli;
    const checks = await examine(cli, await cli.wire());
    const healthy = checks.every(({ status }) => status !== "failed");
    if (options.json === true) await printJson(io, { healthy, checks });
    else {
      const { green, red } = colorsFor(io, io.stdout);
      const summary = countChecks(checks);
      await printLines(io.stdout, [
        ...checkLines(io, checks),
        "",
        healthy ? green(`Ready: ${summary}.`) : red(`Not ready: ${summary}.`),
      ]);
    }
    cli.setExitCode(healthy ? 0 : 2);
  });
}

type DoctorCheck = ShownCheck & { readonly id: string };

async function examine(cli: Cli, wiring: Wiring): Promise<readonly DoctorCheck[]> {
  const [{ checkDisk, checkMemory, checkNode, checkWritable }, { checkChromium }, { checkRegistry }] =
    await Promise.all([import("./checks.ts"), import("./checks.ts"), import("./checks.ts")]);
  const [{ checkExposure, checkFileModes }, { listServing }] = await Promise.all([
    import("./checks.ts"),
    import("../serve/note-serving.ts"),
  ]);
  const { services, host, dataDirectory } = wiring;
  const dataPlace = await existing(dataDirectory);
  const { bavail, bsize } = await statfs(dataPlace);
  return [
    checkNode(process.versions.node),
    ...(await checkChromium(host)),
    checkMemory(process.availableMemory(), availableParallelism()),
    checkDisk(dataDirectory, bavail * bsize),
    await checkRegistry(wiring),
    await checkWritable("data_directory", dataDirectory, () => writeIn(dataPlace)),
    await checkWritable("working_directory", services.baseDirectory, () => writeIn(services.baseDirectory)),
    await checkWritable("temporary_folder", tmpdir(), () => writeIn(tmpdir())),
    await checkFileModes(dataDirectory),
    checkExposure(await listServing(dataDirectory)),
    ...(cli.engine() === "aws" ? [await processorOf(cli, wiring)] : []),
  ];
}

async function processorOf({ globals, io }: Cli, wiring: Wiring): Promise<DoctorCheck> {
  const { checkProcessor } = await import("./checks.ts");
  return checkProcessor(wiring, () => chosenProcessor(globals(), io.env));
}

// The data directory is made by the first run: until then the folder counts that it will be made in.
async function existing(folder: string): Promise<string> {
  const found = await stat(folder).catch(() => undefined);
  return found !== undefined || dirname(folder) === folder ? folder : existing(dirname(folder));
}

async function writeIn(folder: string): Promise<void> {
  const own = await mkdtemp(join(folder, ".rowcall-doctor-"));
  try {
    await writeFile(join(own, "probe"), "");
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}
