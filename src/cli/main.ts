import { enableCompileCache } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { makePrivateFolder, userCache } from "../agents/private-folder.ts";
import { RowcallError } from "../core/errors.ts";
import { divertStdout } from "./stdout.ts";
import { guardProcess } from "./guard-process.ts";
import { isReaderGone, outputError, type EndSignal, type Io } from "./io.ts";
import { withLog } from "./print/json-log.ts";
import { printWarnings } from "./print/output.ts";
import { reportError } from "./print/report-error.ts";
import { runCli } from "./run-cli.ts";
import { withTerminal } from "./print/terminal.ts";

/**
 * Runs the command line in this process.
 *
 * @param args - what follows `rowcall`
 * @returns exit code, see `runCli`
 */
export async function main(args: readonly string[]): Promise<number> {
  const stdout = divertStdout();
  const { env } = process;
  const stderr = Object.assign(process.stderr, { givesUp: true });
  const streams = { stdout, stderr, env, workingDirectory: process.cwd() };
  const exit = guardProcess({
    warn: (warning) => void printWarnings(loggedIo(), [warning]),
    explain: (error) => {
      // What it writes is written before it first waits.
      void reportError(error, loggedIo(), args.includes("--json"));
      return error instanceof RowcallError ? error.exitCode : 1;
    },
  });
  const io: Io = { ...streams, onInterrupt: (listener) => onInterrupt(listener, exit), exit };
  const loggedIo = (): Io => {
    try {
      return withLog(withTerminal(io), Date.now);
    } catch {
      return withTerminal(io);
    }
  };
  // Who writes and waits is told by the write; what is written without waiting, such as help, is told at the end.
  let failure: Error | undefined;
  stdout.on("error", (error: Error) => (failure ??= error));
  // Progress that nobody can read any more ends no run.
  stderr.on("error", () => {});
  let code = await runCli(args, io);
  await new Promise((flushed) => setImmediate(flushed));
  if (failure !== undefined && code === 0) {
    const error = outputError(failure);
    if (!isReaderGone(error)) code = await reportError(error, loggedIo(), args.includes("--json"));
  }
  // What an agent has left open, a timer or a socket, does not keep a command that has ended.
  setTimeout(() => exit(code), leftOpenMs).unref();
  return code;
}

/** How long what is left open may hold up the end of the process. */
const leftOpenMs = 5000;
/** How long a process may go on after the one that started it and held a channel to it has gone. */
const orphanMs = 10_000;

const endSignals: readonly EndSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

function onInterrupt(listener: Parameters<Io["onInterrupt"]>[0], exit: Io["exit"]): () => void {
  // Nobody is there any more to ask a second time.
  const onOrphaned = (): void => {
    setTimeout(() => exit(130), orphanMs).unref();
    listener("SIGTERM");
  };
  for (const signal of endSignals) process.on(signal, listener);
  process.on("disconnect", onOrphaned);
  // Listening alone must not keep the process.
  process.channel?.unref();
  // Undefined without a channel.
  const { connected } = process as { readonly connected?: boolean };
  if (connected === false) setImmediate(onOrphaned);
  return () => {
    for (const signal of endSignals) process.off(signal, listener);
    process.off("disconnect", onOrphaned);
  };
}

cacheCode();
if (import.meta.main) process.exitCode = await main(process.argv.slice(2));

// What lies in the cache is executed: Node's own place for it is a temporary folder that all users share.
function cacheCode(): void {
  try {
    const folder = join(userCache(), "compile-cache");
    makePrivateFolder(folder);
    enableCompileCache(folder);
  } catch {
    // Without one commands start a little later.
  }
}
