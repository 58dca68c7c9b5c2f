import { Writable } from "node:stream";
import type { Io, Output } from "../../src/cli/io.ts";

/** A process's streams and signals for a test. */
export interface TestIo extends Io {
  /** What was written to standard output so far. */
  out(): string;
  /** What was written to standard error so far. */
  err(): string;
  /** As if the user pressed Ctrl-C. */
  interrupt(): void;
  /** Codes that `exit` was called with. */
  readonly exits: readonly number[];
}

/** Streams that keep what is written; nothing is a terminal unless a test says so. */
export function createTestIo(
  options: { readonly env?: Io["env"]; readonly workingDirectory?: string; readonly columns?: number } = {},
): TestIo {
  const stdout = createOutput(options.columns);
  const stderr = createOutput(options.columns);
  const listeners = new Set<(signal: "SIGINT") => void>();
  const exits: number[] = [];
  return {
    stdout: stdout.output,
    stderr: stderr.output,
    env: options.env ?? {},
    workingDirectory: options.workingDirectory ?? "/",
    onInterrupt: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    exit: (code) => void exits.push(code),
    out: stdout.text,
    err: stderr.text,
    interrupt: () => listeners.forEach((listener) => listener("SIGINT")),
    exits,
  };
}

function createOutput(columns: number | undefined): { output: Output; text(): string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk);
      done();
    },
  });
  const output = columns === undefined ? stream : Object.assign(stream, { isTTY: true, columns });
  return { output, text: () => Buffer.concat(chunks).toString("utf8") };
}
