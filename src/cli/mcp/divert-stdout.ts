import process from "node:process";
import { Writable } from "node:stream";

/**
 * Keeps standard output for the protocol alone: what anything else prints there, such as an agent's module, goes to standard error.
 *
 * @returns standard output itself; its errors say that the client is gone, and do not end the process
 */
export function divertStdout(): Writable {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = stderr.write.bind(stderr);
  // The usual listener ends the process, and runs are still to be drained.
  stdout.removeAllListeners("error").on("error", () => {});
  return new Writable({ write: (chunk: Buffer, _encoding, done) => void write(chunk, done) });
}
