// Runs in a thread of its own: a large journal takes its time, and SQLite gives none of it back meanwhile.
import { parentPort, workerData } from "node:worker_threads";
import { explainDatabaseError } from "./database-errors.ts";
import { messageOf, RowcallError, type ErrorCode } from "../core/errors.ts";
import { openEraser, type ErasedRun, type ErasePlaces, type Unscrubbed } from "./erase.ts";

/** What the thread is asked: to delete the records of a run, or to scrub and to forget runs. */
export type EraseOrder =
  | { readonly run: ErasedRun }
  | { readonly scrubUpTo: number; readonly forget: readonly ErasedRun[] };

/** What it says when that is done, or why it is not. */
export interface EraseAnswer {
  readonly unscrubbed: readonly Unscrubbed[];
  /** An error does not keep its fields on the way between threads. */
  readonly failure?: { readonly code: ErrorCode; readonly message: string; readonly hint?: string };
}

function failureOf(thrown: unknown): NonNullable<EraseAnswer["failure"]> {
  const error = explainDatabaseError(thrown);
  if (!(error instanceof RowcallError)) return { code: "UNEXPECTED", message: messageOf(error) };
  const { code, message, hint } = error;
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

function work(order: EraseOrder): EraseAnswer {
  const eraser = openEraser(workerData as ErasePlaces);
  try {
    if ("run" in order) {
      eraser.erase(order.run);
      return { unscrubbed: [] };
    }
    const unscrubbed = eraser.scrub(order.scrubUpTo);
    eraser.forget(order.forget);
    return { unscrubbed };
  } finally {
    eraser.close();
  }
}

function answer(order: EraseOrder): EraseAnswer {
  try {
    return work(order);
  } catch (thrown) {
    return { unscrubbed: [], failure: failureOf(thrown) };
  }
}

parentPort?.on("message", (order: EraseOrder) => parentPort?.postMessage(answer(order)));
