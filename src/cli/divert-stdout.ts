import process from "node:process";
import { Writable } from "node:stream";
import type { Output } from "./io.ts";

/**
 * Keeps standard output for data: what anything else prints there, such as an agent's `console.log`, goes to standard error.
 *
 * @returns standard output itself; its errors are emitted here, not at `process.stdout`
 */
export function divertStdout(): Output {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = stderr.write.bind(stderr);
  stdout.on("error", () => {});
  const output = new Writable({ write: (chunk: Buffer, _encoding, done) => void write(chunk, done) });
  return Object.defineProperties(output, {
    isTTY: { get: () => stdout.isTTY },
    columns: { get: () => stdout.columns },
  });
}
