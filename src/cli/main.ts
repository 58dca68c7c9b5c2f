import { enableCompileCache } from "node:module";
import process from "node:process";
import type { Io } from "./io.ts";
import { runCli } from "./run-cli.ts";

/**
 * Runs the command line in this process.
 *
 * @param args - what follows `rowcall`
 * @returns exit code, see `runCli`
 */
export async function main(args: readonly string[]): Promise<number> {
  // A reader that has seen enough (`| head`) is no error.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit(0);
    });
  }
  return runCli(args, processIo);
}

const processIo: Io = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  workingDirectory: process.cwd(),
  onInterrupt: (listener) => {
    process.on("SIGINT", listener).on("SIGTERM", listener);
    return () => void process.off("SIGINT", listener).off("SIGTERM", listener);
  },
  exit: (code) => process.exit(code),
};

enableCompileCache();
if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
