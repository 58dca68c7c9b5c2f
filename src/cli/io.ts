import { once } from "node:events";
import type { JsonLog } from "./log-entry.ts";

/** A stream that text is written to. */
export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
};

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
   * Calls the listener at each SIGINT and SIGTERM, which then no longer end the process.
   *
   * @returns a function that ends this
   */
  onInterrupt(listener: (signal: "SIGINT" | "SIGTERM") => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
}

/** Writes text and waits while the reader is behind. */
export async function write(output: Output, text: string | Uint8Array): Promise<void> {
  if (!output.write(text)) await once(output, "drain");
}
