import { enableCompileCache } from "node:module";
import process from "node:process";
import { RowcallError } from "../core/errors.ts";
import { divertStdout } from "./divert-stdout.ts";
import { guardProcess } from "./guard-process.ts";
import type { Io } from "./io.ts";
import { withLog } from "./json-log.ts";
import { printWarnings } from "./output.ts";
import { reportError } from "./report-error.ts";
import { runCli } from "./run-cli.ts";

/**
 * Runs the command line in this process.
 *
 * @param args - what follows `rowcall`
 * @returns exit code, see `runCli`
 */
export async function main(args: readonly string[]): Promise<number> {
  const stdout = divertStdout();
  const { stderr, env } = process;
  const streams = { stdout, stderr, env, workingDirectory: process.cwd() };
  const exit = guardProcess({
    warn: (stray) => void printWarnings(loggedIo(), [stray]),
    explain: (error) => {
      // What it writes is written before it first waits.
      void reportError(error, loggedIo(), args.includes("--json"));
      return error instanceof RowcallError ? error.exitCode : 1;
    },
  });
  const io: Io = { ...streams, onInterrupt, exit };
  const loggedIo = (): Io => {
    try {
      return withLog(io, Date.now);
    } catch {
      return io;
    }
  };
  // A reader that has seen enough (`| head`) is no error.
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      exit(0);
    });
  }
  return runCli(args, io);
}

function onInterrupt(listener: Parameters<Io["onInterrupt"]>[0]): () => void {
  process.on("SIGINT", listener).on("SIGTERM", listener);
  return () => void process.off("SIGINT", listener).off("SIGTERM", listener);
}

enableCompileCache();
if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
