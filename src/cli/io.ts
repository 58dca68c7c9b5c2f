import { messageOf, RowcallError } from "../core/errors.ts";
import type { JsonLog } from "./print/log-entry.ts";

/** A stream that text is written to. */
export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  /** Whether what cannot be written is given up without a word: where errors are told, nobody can be told of an error. */
  readonly givesUp?: boolean;
};

/** A signal that asks the process to end: Ctrl-C, `kill`, a terminal that is closed. */
export type EndSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** Everything through which the command line touches the process; tests bring their own. */
export interface Io {
  /** Data only. */
  readonly stdout: Output;
  /** Progress, tables about a run, errors. */
  readonly stderr: Output;
  /** There when every line on standard error is one JSON object; what has more to say than a text says it here. */
  readonly log?: JsonLog;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  /**
   * Calls the listener at each of these signals, which then no longer end the process.
   *
   * @returns a function that ends this
   */
  onInterrupt(listener: (signal: EndSignal) => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
}

/**
 * Writes text and waits until it is written.
 *
 * @throws RowcallError STORE_FAILED; see `isReaderGone`
 */
export async function write(output: Output, text: string | Uint8Array): Promise<void> {
  const failure = await new Promise<Error | null | undefined>((resolve) => output.write(text, resolve));
  if (failure instanceof Error && output.givesUp !== true) throw outputError(failure);
}

/** What a failed write to standard output comes to. */
export function outputError(cause: Error): RowcallError {
  const code = "code" in cause ? cause.code : undefined;
  // What follows a failure finds the stream closed.
  const readerGone = code === "EPIPE" || code === "ERR_STREAM_DESTROYED";
  return readerGone
    ? new RowcallError("STORE_FAILED", "Standard output was closed before everything was written", {
        hint: "Read all of it, or write it to a file.",
        cause,
        details: { readerGone },
      })
    : new RowcallError("STORE_FAILED", `Standard output cannot be written: ${messageOf(cause)}`, {
        hint: "Make room where it goes to, or write to another place.",
        cause,
      });
}

/** Whether a write failed because its reader had seen enough (`| head`). */
export function isReaderGone(error: unknown): error is RowcallError {
  return error instanceof RowcallError && error.details["readerGone"] === true;
}

/** What is heard of interrupts, until it is disposed of. */
export interface Interrupts extends Disposable {
  /** Aborted by the first one. */
  readonly signal: AbortSignal;
  /** Settles at the first one. */
  readonly first: Promise<EndSignal>;
}

/**
 * Listens to interrupts: the first one asks the command to end, the second one ends the process.
 *
 * @param onFirst - called at once
 * @param beforeExit - called at the second one
 */
export function hearInterrupts(io: Io, onFirst?: (signal: EndSignal) => void, beforeExit?: () => void): Interrupts {
  const controller = new AbortController();
  const first = Promise.withResolvers<EndSignal>();
  const ignore = io.onInterrupt((signal) => {
    if (controller.signal.aborted) {
      beforeExit?.();
      io.exit(130);
    } else {
      controller.abort();
      first.resolve(signal);
      onFirst?.(signal);
    }
  });
  return { signal: controller.signal, first: first.promise, [Symbol.dispose]: ignore };
}

/** What a command that runs rows says at the first interrupt. */
export function drainingNote(signal: EndSignal): string {
  return `${signal}: rows in flight finish and no new row starts. Press Ctrl-C again to exit now.`;
}
